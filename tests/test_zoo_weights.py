"""Weights to start from: which files they are taken from, and what is said of those that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from labtui import zoo
from labtui.errors import RecipeError
from labtui.recipe.models.audio import CNN2D, MixNet
from labtui.recipe.spec import UserModel

RUN = "20260101-120000-first-abcd"
PARTS = """
from torch import nn

def line(shape, outputs, bias=True):
    return nn.Linear(shape[0], outputs, bias=bias)

def own(shape, outputs, path):
    model = nn.Linear(shape[0], outputs)
    model.loaded_from = path
    return model
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import sys

    (tmp_path / "weight_parts.py").write_text(PARTS)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "weight_parts", raising=False)
    return tmp_path


def line(path: str, factory: str = "line", **options: Any) -> UserModel:
    return UserModel(factory=f"weight_parts:{factory}", path=path, **options)


def build(spec: UserModel, lab: Path) -> nn.Module:
    model = zoo.build(spec, (2,), 3, lab)
    zoo.load_weights(spec, model, lab)
    return model


@pytest.mark.parametrize("named", ["weights.pt", "absolute", RUN])
@pytest.mark.parametrize("whole", [True, False], ids=["checkpoint", "state_dict"])
def test_where_weights_come_from(lab: Path, named: str, whole: bool) -> None:
    weights = nn.Linear(2, 3).state_dict()
    file = lab / "weights.pt"
    if named == RUN:
        file = lab / "runs" / RUN / "checkpoints" / "best.pt"
        file.parent.mkdir(parents=True)
    torch.save({"format": 1, "model": weights, "step": 3} if whole else weights, file)
    model = build(line(str(file) if named == "absolute" else named), lab)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_a_factory_with_an_option_of_that_name_loads_them_itself(lab: Path) -> None:
    assert build(line("a/file.bin", "own"), lab).loaded_from == "a/file.bin"
    best = lab / "runs" / RUN / "checkpoints" / "best.pt"
    assert build(line(RUN, "own"), lab).loaded_from == str(best)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (nn.Linear(2, 3, bias=False).state_dict(), r"another model's: 1 missing \(bias\)$"),
        (nn.Linear(4, 3).state_dict(), r"1 of another shape \(weight is \(3, 4\), the model's is \(3, 2\)\)"),
        (
            nn.Sequential(*[nn.Linear(2, 3) for _ in range(4)]).state_dict(),
            r"2 missing \(weight, bias\); 8 not in the model \(0.weight, 0.bias, 1.weight, 1.bias, 2.weight, …\)",
        ),
        (torch.zeros(3), "holds no weights by name"),
        ({1: torch.zeros(3)}, "holds no weights by name"),
        (None, r"there is no .*weights\.pt; give a checkpoint file, the id of a run"),
        (b"no archive", r"weights\.pt is no readable checkpoint"),
    ],
)
def test_weights_that_do_not_fit(lab: Path, stored: Any, message: str) -> None:
    file = lab / "weights.pt"
    if isinstance(stored, bytes):
        file.write_bytes(stored)
    elif stored is not None:
        torch.save(stored, file)
    with pytest.raises(RecipeError, match=message):
        build(line("weights.pt"), lab)


def test_a_reference_that_nobody_resolved(lab: Path) -> None:
    with pytest.raises(RecipeError, match="a reference becomes a run when"):
        build(line("@best:val.loss"), lab)


TRAINED = (1, 8, 6)


def transfer(lab: Path, **options: Any) -> tuple[nn.Module, nn.Module]:
    """A network of 5 classes, and what starts from it for 3."""
    trained = zoo.build(CNN2D(channels=4, hidden=[7]), TRAINED, 5, lab)
    trained(torch.randn(9, *TRAINED))  # batch norms that have seen something
    torch.save({"model": trained.state_dict()}, lab / "best.pt")
    spec = CNN2D(channels=4, hidden=[6, 5], path="best.pt", new_head=True, **options)
    model = zoo.build(spec, TRAINED, 3, lab)
    zoo.load_weights(spec, model, lab)
    return trained, model


def body(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: v.clone() for name, v in model.state_dict().items() if not name.startswith("head.")}


def step(model: nn.Module) -> None:
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    loss = nn.functional.cross_entropy(model.train()(torch.randn(9, *TRAINED)), torch.arange(9) % 3)
    loss.backward()
    optimizer.step()


def test_a_new_head_on_trained_layers_that_train_on(lab: Path) -> None:
    trained, model = transfer(lab)
    before = body(model)
    assert all(torch.equal(value, before[name]) for name, value in body(trained).items())
    assert model(torch.randn(2, *TRAINED)).shape == (2, 3)
    step(model)
    changed = {name for name, value in body(model).items() if not torch.equal(value, before[name])}
    assert changed == set(before)  # really all of them


def test_a_new_head_on_frozen_layers(lab: Path) -> None:
    _, model = transfer(lab, freeze=True)
    before, head = body(model), [p.clone() for p in model.head.parameters()]
    step(model)
    # Batch norms' running statistics too, and no dropout before the head.
    assert all(torch.equal(value, before[name]) for name, value in body(model).items())
    assert not any(torch.equal(a, b) for a, b in zip(head, model.head.parameters(), strict=True))
    x = torch.randn(2, *TRAINED)
    assert torch.equal(model.train()(x), model.train()(x))
    assert model.head.training and not model.first.training


def test_a_new_head_needs_old_layers() -> None:
    with pytest.raises(ValueError, match="new_head = true needs a `path`"):
        CNN2D(new_head=True)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("@best:val.loss", "model.wave_path = '@best:val.loss': a reference becomes a run when"),
        ("none.pt", "model.wave_path = 'none.pt': there is no"),
        ("best.pt", "model.wave_path = 'best.pt': the weights are another model's: 28 missing"),
    ],
)
def test_weights_of_a_branch_that_cannot_be_had(lab: Path, path: str, message: str) -> None:
    transfer(lab)
    spec = MixNet(frames=8, bins=6, pool=5, wave_path=path)
    model = zoo.build(spec, (4096 + 48,), 3, lab)
    with pytest.raises(RecipeError, match=message):
        zoo.load_weights(spec, model, lab)
