"""What a model can be trained for besides targets: to restore, to embed, to follow a teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engine_lab import SPEEDS, ask_at, make, records, result_of, train_here

from labtui.data import Dataset
from labtui.engine import objective, samples
from labtui.engine.batch import Batch
from labtui.engine.metrics import Elements
from labtui.engine.world import World
from labtui.errors import DataError, TrainingError
from labtui.recipe import optim as specs
from labtui.recipe.core import Recipe
from labtui.zoo.parts import pool
from labtui.zoo.speech import Exposed

FACTORIES = '''
import torch
from torch import nn
from labtui.data import Dataset
from labtui.data.ragged import Ragged
from labtui.zoo.speech import Exposed

def clusters(root, teacher=False, width=6):
    g = torch.Generator().manual_seed(0)
    y = torch.arange(240) % 4
    centres = torch.randn(4, 8, generator=g) * 3
    x = centres[y] + torch.randn(240, 8, generator=g)
    extras = {}
    if teacher:
        logits = nn.functional.one_hot(y % 3, 4).float() * 5  # that does not know the last class
        states = x @ torch.randn(8, 3 * width, generator=g) / 8
        extras = {"teacher_logits": logits, "teacher_states": states.tanh().view(240, 3, width)}
    return Dataset(x, y, "classes", list("abcd"), extras=extras)

def changed(root, how):
    names = globals() | {"root": root, "d": clusters(root, True)}
    exec(how, names)
    return names["d"]

def waves(root):
    """Class 1 ends with a peak, wherever its end is."""
    g = torch.Generator().manual_seed(0)
    lengths = torch.randint(5, 30, (200,), generator=g)
    x = Ragged(torch.randn(int(lengths.sum()), generator=g) / 10, lengths)
    y = torch.arange(200) % 2
    for k in range(200):
        x[k][-1] = 3.0 * y[k]
    return Dataset(x, y, "classes", ["flat", "peak"], transform=lambda b, g: b[:, None])

class Last(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(1, 2)
    def forward(self, x, lengths=None):
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[2])
        return self.out(x.gather(2, (lengths - 1)[:, None, None])[:, :, 0])

def last(shape, outputs):
    return Last()

def embedder(shape, outputs):
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))

def restorer(shape, outputs, latent=4):
    return nn.Sequential(nn.Linear(8, latent), nn.Linear(latent, 8))

class Pupil(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(8, 6), nn.Linear(6, 6), nn.Linear(6, 4)
    def expose(self, x, lengths=None):
        one = self.first(x).tanh()
        two = self.second(one).tanh()
        return Exposed(self.head(two), [one[:, None], two[:, None]], two, None)
    def forward(self, x, lengths=None):
        return self.expose(x).logits

def pupil(shape, outputs):
    return Pupil()
'''


def plan(
    root: Path, model: str, loss: dict[str, Any], data: dict[str, Any] | None = None, **more: Any
) -> Recipe:
    (root / "parts.py").write_text(FACTORIES)
    tables = {
        "name": "objective",
        "data": {"factory": "parts:clusters"} | (data or {}),
        "model": {"factory": f"parts:{model}"},
        "loss": loss,
        "optimizer": {"name": "adam", "lr": 0.01},
        "train": {"epochs": 12, "batch_size": 40},
        "validate": {"val": 0.2, "test": 0.1},
        "resources": {"gpus": 0, "threads": 1},
    }
    for name, table in more.items():
        tables[name] = tables.get(name, {}) | table
    return Recipe.model_validate(tables)


def trained(
    root: Path, what: Recipe, **more: Any
) -> tuple[dict[tuple[str, int], float], dict[str, Any], Any]:
    paths = make(root, what)
    _, result = train_here(paths, what, **more)
    return {(name, step): value for name, step, value in records(paths)}, result, paths


def last(found: dict[tuple[str, int], float], name: str) -> float:
    return max((step, value) for (key, step), value in found.items() if key == name)[1]


def test_an_autoencoder_restores_what_it_sees(tmp_path: Path) -> None:
    found, result, paths = trained(tmp_path, plan(tmp_path, "restorer", {"name": "reconstruction"}))
    baseline = result["facts"]["baseline"]
    assert last(found, "val.mse") < 0.5 * baseline["val.mse"]
    assert last(found, "val.loss") == pytest.approx(last(found, "val.mse"), rel=1e-5)
    assert baseline["val.r2"] < 0.5 < last(found, "val.r2")
    assert not (paths.artifacts / "confusion.json").exists()
    kept = np.load(paths.artifacts / "reconstructions.npz")
    assert np.array_equal(kept["x"], kept["y"]) and kept["output"].shape == (8, 8)
    assert np.square(kept["output"] - kept["x"]).mean() < baseline["val.mse"]


def test_hidden_elements_are_restored_and_validation_hides_the_same_each_time(tmp_path: Path) -> None:
    loss = {"name": "masked_mse", "share": 0.3}
    what = plan(tmp_path, "restorer", loss, train={"epochs": 25, "accumulate": 2})
    found, result, _ = trained(tmp_path, what)
    assert last(found, "val.mse") < 0.8 * result["facts"]["baseline"]["val.mse"]
    still = plan(tmp_path, "restorer", loss, optimizer={"lr": 1e-30}, train={"epochs": 2})
    found, _, _ = trained(tmp_path, still)
    values = [value for (name, _), value in found.items() if name == "val.loss"]
    assert len(values) == 3 and len(set(values)) == 1
    assert len({value for (name, _), value in found.items() if name == "train.mse"}) == 2


def test_masked_loss_by_hand() -> None:
    masked = objective.Masked(0.25)
    x = torch.randn(50, 40, generator=torch.Generator().manual_seed(1))
    left, y = masked.hide(x, torch.Generator().manual_seed(2))
    hidden = ~y.isnan()
    assert torch.equal(y[hidden], x[hidden]) and torch.equal(left[~hidden], x[~hidden])
    output = torch.randn_like(x)
    by_hand = ((output - x) ** 2)[hidden].sum() / (0.25 * x.numel())
    assert float(masked.loss(output, y)) == pytest.approx(float(by_hand), rel=1e-6)
    counts = Elements()
    counts.update(output[:20], y[:20])
    counts.update(output[20:], y[20:])
    error = (output - x)[hidden].double()
    scores = counts.scores()
    assert scores["mse"] == pytest.approx(float(error.square().mean()))
    assert scores["r2"] == pytest.approx(
        1 - float(error.square().mean() / x[hidden].double().var(correction=0))
    )


def test_triplets_pull_classes_together(tmp_path: Path) -> None:
    loss = {"name": "batch_hard_triplet", "margin": 0.5}
    what = plan(tmp_path, "embedder", loss, train={"epochs": 30})
    found, result, paths = trained(tmp_path, what)
    first = next(value for (name, _), value in found.items() if name == "val.active")
    assert last(found, "val.active") < 0.6 * first
    assert last(found, "val.loss") < 0.5
    best = result["best"]["step"]
    assert found["val.knn_acc", 0] <= found["val.knn_acc", best] > 0.9 < found["test.linear_acc", best]
    assert ("test.knn_acc", 0) not in found
    after, before = (np.load(paths.artifacts / f"embeddings{name}.npz") for name in ("", "_untrained"))
    assert after["points"].shape == after["tsne"].shape == (72, 2)
    assert before["tsne"].shape == before["seen_tsne"].shape == (48, 2)


@pytest.mark.parametrize("train", [{"accumulate": 2}, {"on_oom": "halve"}])
def test_triplets_are_not_cut_apart(tmp_path: Path, train: dict[str, Any]) -> None:
    what = plan(tmp_path, "embedder", {"name": "batch_hard_triplet"}, train=train)
    with pytest.raises(TrainingError, match="compares the samples of a batch"):
        train_here(make(tmp_path, what), what)


def distil(root: Path, model: str = "pupil", width: int = 6, **loss: Any) -> Recipe:
    data = {"teacher": True, "width": width}
    return plan(root, model, {"name": "distillation"} | loss, data, train={"epochs": 30})


@pytest.mark.parametrize("width", [6, 9])
def test_a_student_follows_its_teacher_where_it_errs(tmp_path: Path, width: int) -> None:
    what = distil(tmp_path, width=width, layers=[0.3, 1.0], hard=0.01)
    found, _, paths = trained(tmp_path, what)
    assert last(found, "val.soft") < 0.4 * next(v for (n, _), v in found.items() if n == "val.soft")
    assert last(found, "val.hidden") < next(v for (n, _), v in found.items() if n == "val.hidden")
    assert 0.7 < last(found, "val.acc") < 0.8  # three classes of four
    weights = torch.load(paths.checkpoints / "last.pt", weights_only=True)["model"]
    assert ("aligned.0.weight" in weights) == (width == 9)


def test_distillation_by_hand(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    data = Dataset(
        torch.zeros(5, 2),
        torch.tensor([0, 1, 2, 1, 0]),
        "classes",
        list("abc"),
        extras={
            "teacher_logits": torch.randn(5, 3, generator=generator),
            "teacher_states": torch.randn(5, 4, 7, generator=generator),
        },
    )
    spec = specs.Distillation(soft=0.7, hard=0.2, temperature=2.0, layers=[0.1, 0.0, 0.3])
    aim = objective.build(spec, data, torch.arange(5))
    assert isinstance(aim, objective.Student) and aim.teaching is not None
    states = [torch.randn(5, 6, 7, generator=generator) for _ in range(5)]
    lengths = torch.tensor([6, 3, 1, 2, 6])
    student = Exposed(torch.randn(5, 3, generator=generator), states, torch.empty(0), lengths)
    found = aim.teaching(student, Batch(data.x, data.y, None, data.extras), None)
    p = (data.extras["teacher_logits"] / 2).softmax(1)
    soft = (p * (p.log() - (student.logits / 2).log_softmax(1))).sum() / 5
    hard = torch.nn.functional.cross_entropy(student.logits, data.y)
    hidden = sum(
        w * ((pool(states[k], lengths, "mean") - data.extras["teacher_states"][:, k]) ** 2).mean()
        for w, k in ((0.1, -3), (0.3, -1))
    )
    expected = [0.7 * soft + 0.2 * hard + hidden, soft, hard, hidden]
    assert found.tolist() == pytest.approx([float(value) for value in expected], rel=1e-5)


@pytest.mark.parametrize(
    ("model", "loss", "message"),
    [
        ("pupil", {"layers": [0.1] * 3}, "3 weights, but the model has 2 hidden layers"),
        ("pupil", {"layers": [0.1] * 4}, "4 weights, but the teacher shows 3 layers"),
        ("embedder", {"layers": [0.1]}, "this model does not show them"),
    ],
)
def test_what_a_student_cannot_follow(tmp_path: Path, model: str, loss: dict[str, Any], message: str) -> None:
    what = distil(tmp_path, model, **loss)
    with pytest.raises(TrainingError, match=message):
        train_here(make(tmp_path, what), what)


def test_no_teacher(tmp_path: Path) -> None:
    what = plan(tmp_path, "pupil", {"name": "distillation"})
    with pytest.raises(TrainingError, match="needs teacher_logits, and the data brings none"):
        train_here(make(tmp_path, what), what)


@pytest.mark.parametrize(
    ("model", "loss", "data"),
    [
        ("restorer", {"name": "masked_mse"}, {}),
        ("embedder", {"name": "batch_hard_triplet"}, {}),
        ("pupil", {"name": "distillation", "layers": [0.2]}, {"teacher": True, "width": 9}),
    ],
    ids=["masked", "triplet", "distillation"],
)
def test_a_resume_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, model: str, loss: dict[str, Any], data: dict[str, Any]
) -> None:
    what = plan(tmp_path, model, loss, data, train={"epochs": 3})
    whole, left = make(tmp_path, what), make(tmp_path, what)
    train_here(whole, what)
    train_here(left, what, asked=ask_at(6))
    train_here(left, what, attempt=2)
    mine, theirs = ([r for r in records(p) if r[0] not in SPEEDS] for p in (left, whole))
    assert mine == theirs
    assert result_of(left)["best"] == result_of(whole)["best"]


def test_lengths_reach_the_model_and_padding_does_not(tmp_path: Path) -> None:
    what = plan(
        tmp_path, "last", {"name": "cross_entropy"}, {"factory": "parts:waves"}, train={"accumulate": 3}
    )
    found, _, _ = trained(tmp_path, what)
    assert last(found, "val.acc") == 1.0


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("size", [7, 1000])
def test_what_is_hidden_in_validation_does_not_depend_on_who_looks(processes: int, size: int) -> None:
    data = Dataset(torch.randn(600, 4), torch.arange(600) % 2, "classes", ["a", "b"])
    split = {"val": torch.arange(600)}

    def hidden(of: int, batch_size: int) -> list[torch.Tensor]:
        found = []
        for rank in range(of):
            world = World()
            world.rank, world.size = rank, of
            shelf = samples.shelve(data, torch.device("cpu"), objective.Masked(0.2).hide)
            placed = samples.place(shelf, split)["val"]
            found += [batch.y for batch in placed.batches(batch_size, world)]
        return found

    parts = hidden(processes, size)
    assert max(map(len, parts)) <= size
    assert torch.equal(torch.cat(parts).isnan(), torch.cat(hidden(1, 50)).isnan())


@pytest.mark.parametrize(
    ("model", "loss", "change", "message"),
    [
        ("embedder", "batch_hard_triplet", "d.y[:] = 0", "the training split has one only"),
        ("restorer", "reconstruction", "d = waves(root)", "at one length"),
        ("restorer", "masked_mse", "d = waves(root)", "at one length"),
        ("pupil", "distillation", "d.extras['teacher_logits'][3, 1] = torch.nan", "teacher_logits holds NaN"),
        ("pupil", "distillation", "d.extras['teacher_states'] = d.x", r"expected \(samples, layers, width\)"),
        ("pupil", "cross_entropy", "d = Dataset(d.x, d.y * torch.nan, 'regression', ['a'])", "y holds NaN"),
    ],
)
def test_data_that_a_loss_cannot_be_had_of(
    tmp_path: Path, model: str, loss: str, change: str, message: str
) -> None:
    table = {"name": loss, **({"layers": [1.0]} if loss == "distillation" else {})}
    what = plan(tmp_path, model, table, {"factory": "parts:changed", "how": change})
    with pytest.raises((TrainingError, DataError), match=message):
        train_here(make(tmp_path, what), what)


def test_an_embedding_that_overflows(tmp_path: Path) -> None:
    loss, data = {"name": "batch_hard_triplet"}, {"factory": "parts:changed", "how": "d.x *= 3e4"}
    what = plan(tmp_path, "embedder", loss, data, train={"precision": "float16"})
    with pytest.raises(TrainingError, match=r"the loss of the untrained model is nan"):
        train_here(make(tmp_path, what), what)


def test_held_out_samples_meet_strangers_where_data_come_class_by_class(tmp_path: Path) -> None:
    loss, how = (
        {"name": "batch_hard_triplet"},
        "at = d.y.argsort(); d.x, d.y = d.x[at], d.y[at]; d.extras = {}",
    )
    data = {"factory": "parts:changed", "how": how}
    what = plan(tmp_path, "embedder", loss, data, train={"epochs": 0, "batch_size": 6})
    found, _, paths = trained(tmp_path, what)
    assert found["val.loss", 0] > 0.1 and found["val.active", 0] > 0.5
    shown = np.load(paths.artifacts / "embeddings.npz")
    assert np.array_equal(shown["y"], shown["index"] // 60)


def test_batches_too_small_for_a_triplet(tmp_path: Path) -> None:
    what = plan(tmp_path, "embedder", {"name": "batch_hard_triplet"}, train={"batch_size": 2})
    with pytest.raises(TrainingError, match="to 3 or more"):
        train_here(make(tmp_path, what), what)


def test_an_embedding_in_one_place_and_an_untrained_one_are_looked_at(tmp_path: Path) -> None:
    data = {"factory": "parts:changed", "how": "d.x[:] = 0.3"}
    what = plan(tmp_path, "embedder", {"name": "batch_hard_triplet"}, data, train={"epochs": 0})
    found, _, paths = trained(tmp_path, what)
    assert found["test.knn_acc", 0] == found["val.knn_acc", 0] == 0.25
    shown = np.load(paths.artifacts / "embeddings.npz")
    assert len(shown["index"]) == 48 + 24 and "seen_tsne" not in shown and np.isfinite(shown["tsne"]).all()


@pytest.mark.parametrize("metric", ["val.active", "train.active"])
def test_a_term_decides_once_its_direction_is_given(tmp_path: Path, metric: str) -> None:
    loss, validate = {"name": "batch_hard_triplet"}, {"monitor": metric, "patience": 2}
    what = plan(tmp_path, "embedder", loss, train={"epochs": 2}, validate=validate)
    with pytest.raises(TrainingError, match=rf'set goals\."{metric}" to "min" or "max"'):
        train_here(make(tmp_path, what), what)
    what = plan(tmp_path, "embedder", loss, train={"epochs": 2}, validate=validate, goals={metric: "min"})
    _, result, _ = trained(tmp_path, what)
    assert result["best"]["metric"] == metric and result["best"]["goal"] == "min"
