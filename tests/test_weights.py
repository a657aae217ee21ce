"""What a run keeps of its model's inside: weights, gradients, embedded samples; by real trainings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engine_lab import ask_at, make, recipe, records, result_of, train_here
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from labtui.engine.embedding import principal
from labtui.engine.statistics import BINS, MOST_LAYERS, SERIES, Statistics, layers, spacing
from labtui.files.paths import RunPaths
from labtui.query.lab import Run
from labtui.sweep import expand


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, everything is looked at."""
    monkeypatch.setattr("labtui.engine.budget.FREE", 1.9)


def trained(root: Path, **tables: Any) -> RunPaths:
    """A tiny training of the digits."""
    what = recipe(**tables)
    paths = make(root, what)
    train_here(paths, what)
    return paths


def kept(paths: RunPaths, name: str = "weights") -> dict[str, Any]:
    """An artifact's arrays."""
    found = Run(paths, {}).artifact(name)
    assert isinstance(found, dict), f"{name} was not kept"
    return found


@given(looks=st.integers(1, 64), steps=st.integers(1, 5000), epochs=st.integers(0, 5000))
def test_looks_are_few_and_evenly_spread(looks: int, steps: int, epochs: int) -> None:
    every, last = spacing(looks, steps, epochs), steps * epochs
    times = {*range(0, last + 1, every), last}
    assert len(times) <= max(looks, 2)
    assert every % steps == 0 or every < steps
    assert every >= min(steps, 100)


def test_a_training_is_the_same_to_the_bit_with_statistics_and_without(tmp_path: Path) -> None:
    for number, tables in enumerate(
        [
            {"train": {"clip_norm": 0.5}},
            {
                "train": {"precision": "float16", "clip_value": 0.1},
                "optimizer": {"name": "adamw", "lr": 0.01},
            },
        ]
    ):
        on, off = (
            trained(
                tmp_path / f"{number}{looks}", **tables | {"train": tables["train"] | {"statistics": looks}}
            )
            for looks in (64, 0)
        )
        assert records(on) == records(off)
        states = [torch.load(one.checkpoints / "last.pt", weights_only=True)["model"] for one in (on, off)]
        assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
        assert {*os.listdir(on.artifacts)} - {*os.listdir(off.artifacts)} >= {
            "weights.npz",
            "activations.npz",
        }


def test_what_is_kept_of_weights_and_gradients(tmp_path: Path) -> None:
    paths = trained(tmp_path, train={"clip_norm": 0.01, "log_every": 1})
    found = kept(paths)
    assert found["steps"].tolist() == [0, 10, 20, 30, 40]
    assert set(found) == {*SERIES, "layers"}
    state = torch.load(paths.checkpoints / "last.pt", weights_only=True)["model"]
    for place, name in enumerate(found["layers"].tolist()):
        values = state[name].numpy().ravel()
        assert found["weight_norm"][-1, place] == pytest.approx(np.linalg.norm(values), rel=1e-5)
        low, high = found["weight_range"][-1, place].tolist()
        assert (low, high) == pytest.approx((values.min(), values.max()))
        counts, _ = np.histogram(values.astype(np.float64), BINS, (values.min(), values.max()))
        np.testing.assert_array_equal(found["weight_counts"][-1, place], counts)
    # The whole gradient's norm before it was cut is recorded for its own sake too.
    norms = {step: value for name, step, value in records(paths) if name == "train.grad_norm"}
    whole = np.sqrt((found["grad_norm"][1:].astype(np.float64) ** 2).sum(axis=1))
    assert whole.tolist() == pytest.approx([norms[step] for step in (10, 20, 30, 40)], rel=1e-5)
    assert np.isnan(found["grad_norm"][0]).all() and np.isnan(found["update_ratio"][0]).all()
    assert found["grad_counts"][0].sum() == 0
    assert (found["update_ratio"][1:] > 0).all() and (found["update_ratio"][1:] < 1).all()
    sizes = [state[name].numel() for name in found["layers"].tolist()]
    assert found["grad_counts"][1:].sum(axis=2).tolist() == [sizes] * 4


def test_a_scaled_gradient_is_kept_at_its_own_size(tmp_path: Path) -> None:
    whole, half = (
        kept(trained(tmp_path / name, train={"precision": name, "epochs": 1, "statistics": 2}))
        for name in ("float32", "float16")
    )
    # The scale begins at 65,536; what is left is what half precision rounds away.
    np.testing.assert_allclose(half["grad_norm"][1], whole["grad_norm"][1], rtol=0.5)


@pytest.mark.parametrize("call", [10, 24])
def test_a_resumed_run_keeps_what_an_uninterrupted_one_does(tmp_path: Path, call: int) -> None:
    what = recipe()
    whole, parted = make(tmp_path / "whole", what), make(tmp_path / "parted", what)
    train_here(whole, what)
    train_here(parted, what, asked=ask_at(call))
    train_here(parted, what, attempt=2)
    ours, theirs = kept(parted), kept(whole)
    assert ours["steps"].tolist() == theirs["steps"].tolist()
    for name in theirs:
        np.testing.assert_array_equal(ours[name], theirs[name], name)
    ours, theirs = kept(parted, "activations"), kept(whole, "activations")
    assert ours["steps"].tolist() == theirs["steps"].tolist()
    for name in theirs:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


def test_looks_beyond_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    paths = trained(tmp_path)
    model = nn.Sequential(nn.Linear(2, 2))
    run: Any = type("Kept", (), {"paths": paths})()
    statistics = Statistics(model, run, 32, 10, 4)
    statistics.names = kept(paths)["layers"].tolist()
    statistics.restore(20)
    assert statistics.looks.rows["steps"] == [0, 10, 20]


def test_what_is_not_trained_is_not_looked_at_and_of_many_layers_some_are_left_out() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    assert list(layers(model)) == ["1.weight", "1.bias"]
    deep = nn.Sequential(*[nn.Linear(2, 2) for _ in range(40)])
    assert list(layers(deep)) == [f"{n}.weight" for n in range(40)]
    deeper = list(layers(nn.Sequential(*[nn.Linear(2, 2) for _ in range(100)])))
    assert len(deeper) == MOST_LAYERS
    assert (deeper[0], deeper[-1]) == ("0.weight", "99.weight")


def test_a_gradient_that_is_no_number_or_missing_breaks_nothing(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    looks: list[Any] = []
    run: Any = type("Kept", (), {"artifact": lambda self, name, value: looks.append(value)})()
    statistics = Statistics(model, run, 32, 1, 10)
    statistics.look(0)
    model[1].weight.grad = torch.tensor([[torch.nan, torch.inf, 1.0], [2.0, 3.0, 4.0]])
    model[1].bias.grad = torch.zeros(2)
    statistics.gradient(1.0)
    statistics.look(1)
    statistics.look(1)
    statistics.save()
    found = looks[-1]
    assert found["steps"].tolist() == [0, 1]
    assert found["grad_counts"][1].sum(axis=1).tolist() == [0, 0, 4, 2]
    assert found["grad_range"][1, 2].tolist() == [1.0, 4.0]
    assert np.isnan(found["grad_norm"][1, :3]).all() and found["grad_norm"][1, 3] == 0


def test_a_sparse_gradient_is_looked_at_like_any_other(tmp_path: Path) -> None:
    model = nn.Embedding(5, 2, sparse=True)
    looks: list[Any] = []
    run: Any = type("Kept", (), {"artifact": lambda self, name, value: looks.append(value)})()
    statistics = Statistics(model, run, 32, 1, 10)
    model(torch.tensor([1, 1])).sum().backward()
    statistics.gradient(1.0)
    statistics.look(1)
    statistics.save()
    np.testing.assert_allclose(looks[-1]["grad_norm"], [[8**0.5]])


def test_a_model_of_another_kind_has_no_embedding_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def odd(*_: object) -> None:
        raise TypeError("outputs of another form")

    monkeypatch.setattr("labtui.engine.features.Features._take", odd)
    paths = trained(tmp_path)
    assert result_of(paths)["best"] and not (paths.artifacts / "embedding.npz").exists()
    assert "no picture of the embedding: TypeError: outputs of another form" in capfd.readouterr().err


def test_the_key_leaves_a_sweep_s_keys_as_they_were(tmp_path: Path) -> None:
    tables = recipe().tables() | {"sweep": {"space": {"optimizer.lr": [1e-3, 1e-2]}}}
    without = [dict(tables, train={k: v for k, v in tables["train"].items() if k != "statistics"})]
    from labtui.recipe.core import Recipe

    keys = [
        [one.origin.key for one in expand(Recipe.model_validate(t), "r.toml")] for t in (tables, *without)
    ]
    assert keys[0] == keys[1]
    assert all(keys[0])


def test_validation_samples_are_embedded_by_what_the_last_layer_sees(tmp_path: Path) -> None:
    paths = trained(tmp_path)
    found = kept(paths, "embedding")
    n = result_of(paths)["facts"]["val"]
    assert {name: found[name].shape for name in found} == {
        "index": (n,), "y": (n,), "prediction": (n,), "pca": (n, 2), "points": (n, 16),
    }  # fmt: skip
    predictions = kept(paths, "predictions")
    np.testing.assert_array_equal(found["index"], predictions["val_index"])
    np.testing.assert_array_equal(found["prediction"], predictions["val_scores"].argmax(1))
    state = torch.load(paths.checkpoints / "best.pt", weights_only=True)["model"]
    scores = found["points"] @ state["10.weight"].numpy().T + state["10.bias"].numpy()
    np.testing.assert_allclose(scores, predictions["val_scores"], rtol=1e-4, atol=1e-4)


def test_a_long_training_s_embedding_has_a_t_sne(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labtui.engine.embedding.TSNE_START", 0.0)
    monkeypatch.setattr("labtui.engine.embedding.TSNE_POINT", 0.0)
    found = kept(trained(tmp_path, train={"epochs": 1}), "embedding")
    assert found["tsne"].shape == found["pca"].shape
    assert np.isfinite(found["tsne"]).all()


@pytest.mark.parametrize("shape", [(50, 3), (10, 40), (5, 1), (1, 4)])
def test_principal_components_are_those_of_scikit_learn(shape: tuple[int, int]) -> None:
    from sklearn.decomposition import PCA

    points = np.random.default_rng(0).normal(size=shape) * np.arange(1, shape[1] + 1)
    found = principal(points.astype(np.float32))
    assert found.shape == (shape[0], 2)
    parts = min(2, *shape)
    if shape[0] > 1:
        theirs = PCA(parts).fit_transform(points)
        np.testing.assert_allclose(np.abs(found[:, :parts]), np.abs(theirs), atol=1e-3 * np.abs(theirs).max())
