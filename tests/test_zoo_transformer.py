"""Transformers: the fault notebook's counts, and what each of them makes of a sequence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from zoo_lab import build, parameters

from labtui import zoo
from labtui.errors import RecipeError
from labtui.recipe.models.transformer import (
    TransformerBase,
    TransformerCls,
    TransformerMask,
    TransformerTriplet,
)

SMALL: dict[str, Any] = {"d_model": 64, "nhead": 16, "d_hid": 128, "nlayers": 4}
TINY: dict[str, Any] = {"d_model": 8, "nhead": 2, "d_hid": 8, "nlayers": 1}


@pytest.mark.parametrize(
    ("spec", "shape", "outputs", "expected"),
    [
        (TransformerMask(**SMALL), (400, 1), 10, 134_145),
        (TransformerTriplet(**SMALL, d_lin=1024), (40, 3), 10, 2_822_208),
        (TransformerTriplet(), (40, 3), 10, 3_884_864),
        (TransformerBase(), (40, 3), 10, 985_870 - 140 + 39 * 140 * 10),  # as cls, but 40 tokens in the head
    ],
)
def test_parameters(spec: Any, shape: tuple[int, ...], outputs: int, expected: int) -> None:
    assert parameters(build(spec, shape, outputs)) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (TransformerBase, (10,)),
        (TransformerMask, (40, 3)),
        (TransformerTriplet, (64,)),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_what_comes_out(spec: Any, expected: tuple[int, ...], training: bool) -> None:
    # An odd width: cosines are fewer.
    model = build(spec(d_model=15, nhead=3, d_hid=8, nlayers=2), (40, 3), 10).train(training)
    with torch.set_grad_enabled(training):
        assert model(torch.randn(4, 40, 3)).shape == (4, *expected)


@pytest.mark.parametrize("spec", [TransformerBase, TransformerMask, TransformerTriplet])
def test_order_is_seen(spec: Any) -> None:
    model = build(spec(**TINY), (6, 3), 2).eval()
    x = torch.randn(1, 6, 3)
    found, backwards = model(x), model(x.flip(1))
    assert not torch.allclose(found, backwards.flip(1) if spec is TransformerMask else backwards, atol=1e-5)


@pytest.mark.parametrize("spec", [TransformerCls, TransformerMask])
def test_padding_is_not_attended_to(spec: Any) -> None:
    model = build(spec(**TINY), (6, 3), 2).eval()
    x = torch.randn(2, 6, 3)
    found = model(x, torch.tensor([4, 6]))
    alone = model(x[:1, :4])
    assert torch.allclose(found[0][:4] if spec is TransformerMask else found[0], alone[0], atol=1e-5)
    assert torch.allclose(found[1], model(x)[1], atol=1e-5)


def start(given: Any, spec: Any, folder: Path, **options: Any) -> tuple[Any, Any]:
    """A model, and another one that starts from its weights."""
    trained = build(given(**TINY), (6, 3), 2)
    torch.save({"model": trained.state_dict()}, folder / "best.pt")
    part = spec(path="best.pt", **TINY, **options)
    model = zoo.build(part, (6, 3), 4, folder)
    zoo.load_weights(part, model, folder)
    return trained, model


@pytest.mark.parametrize("given", [TransformerMask, TransformerCls])
def test_a_classifier_starts_from_what_was_masked(given: Any, tmp_path: Path) -> None:
    """The decoder, or the head of another number of classes, is thrown out."""
    trained, model = start(given, TransformerCls, tmp_path, new_head=True)
    x = torch.randn(2, 6, 3)
    assert torch.equal(model.eval().encode(x), trained.eval().encode(x))
    assert all(p.requires_grad for p in model.parameters())


def test_only_the_head_is_left_out(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"another model's: 1 missing \(token\)$"):
        start(TransformerTriplet, TransformerCls, tmp_path, new_head=True)
    with pytest.raises(RecipeError, match=r"2 missing \(head.weight, head.bias\); 2 not in the model"):
        start(TransformerMask, TransformerCls, tmp_path)
