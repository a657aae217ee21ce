"""Options of a training beside each other: precision, penalty, class weights, drawn classes, the head's pace."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_lab import make, recipe, records, train_here
from torch import Tensor, nn

from labtui.data import Dataset
from labtui.engine import baseline, losses, objective, optim, setup
from labtui.engine.batch import Batch
from labtui.engine.metrics import Confusion
from labtui.engine.precision import Precision
from labtui.engine.samples import place, shelve
from labtui.engine.tally import Tally
from labtui.errors import TrainingError
from labtui.recipe import optim as specs

CPU = torch.device("cpu")
Y = torch.tensor([0, 0, 0, 1, 2, 2, 0, 0])
DATA = Dataset(torch.randn(8, 4, generator=torch.Generator().manual_seed(0)), Y, "classes", list("abc"))
TRAIN = torch.arange(6)


class Headed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.norm, self.head = nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 3)
        self.token = nn.Parameter(torch.ones(1, 5))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.body(x) + self.token))  # type: ignore[no-any-return]


def last(found: list[tuple[str, int, float]], name: str) -> float:
    return [value for key, _, value in found if key == name][-1]


def test_half_precision_leaves_out_a_step_that_overflows() -> None:
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    model = nn.ParameterList([weight])
    optimizer = optim.build(specs.SGD(lr=0.1), model)
    precision = Precision("float16", CPU)
    for factor in (1.0, math.inf, 2.0):
        weight.grad = None
        precision.scaled((factor * weight).sum()).backward()
        precision.unscale(optimizer)
        precision.step(optimizer)
    assert weight.tolist() == pytest.approx([0.7, 1.7])
    assert precision.facts() == {"train.skipped_steps": 1}
    assert precision.scaled(torch.ones(())) == 2**15
    other = Precision("float16", CPU)
    other.load_state_dict(precision.state_dict())
    assert other.state_dict() == precision.state_dict()
    assert other.facts() == precision.facts()


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_layers_compute_in_16_bits_and_losses_in_32(name: str, tmp_path: Path) -> None:
    kinds: list[Any] = []
    table = {"precision": name, "epochs": 2, "accumulate": 2, "clip_norm": 0.5}
    plan = recipe(train=table, optimizer={"name": "adam", "lr": 0.01})
    material = setup.material(plan, tmp_path)
    next(m for m in material.model.modules() if isinstance(m, nn.Conv2d)).register_forward_hook(
        lambda layer, x, y: kinds.append((layer.weight.dtype, y.dtype))
    )
    parts = setup.parts(plan, material, CPU)
    loss, output = parts.objective(parts.model, parts.samples["val"].batch(torch.arange(3)))
    assert kinds == [(torch.float32, getattr(torch, name))]
    assert (loss.dtype, output.dtype) == (torch.float32, torch.float32)
    paths = make(tmp_path, plan)
    train_here(paths, plan)
    found = records(paths)
    assert last(found, "val.loss") < 2.2  # at first 2.31
    assert ("train.skipped_steps" in {key for key, _, _ in found}) == (name == "float16")
    weights = torch.load(paths.checkpoints / "last.pt", weights_only=True)["model"]
    assert {value.dtype for value in weights.values()} == {torch.float32}
    # Clipping saw the gradient at its own size.
    assert 0 < max(value for key, _, value in found if key == "train.grad_norm") < 100


def test_a_loss_that_overflows_says_what_is_wider(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import torch\nfrom labtui.data import Dataset\n"
        "def data(root):\n    return Dataset(torch.ones(20, 2), torch.zeros(20), 'regression', ['y'])\n"
        "class Large(torch.nn.Linear):\n    def forward(self, x):\n        return super().forward(x * 1e5)\n"
        "def model(shape, outputs):\n    return Large(2, 1)\n"
    )
    tables = recipe(train={"precision": "float16"}).tables()
    tables |= {"data": {"factory": "own:data"}, "model": {"factory": "own:model"}, "loss": {"name": "mse"}}
    plan = type(recipe()).model_validate(tables)
    with pytest.raises(
        TrainingError, match=r'untrained model is (nan|inf): try train.precision = "bfloat16", '
    ):
        train_here(make(tmp_path, plan), plan)


def test_the_head_has_a_pace_of_its_own() -> None:
    model = Headed()
    optimizer = optim.build(specs.SGD(lr=0.1, lr_head=0.5), model)
    optim.set_lr(optimizer, 0.02)  # a schedule's
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    model(DATA.x).square().sum().backward()
    optimizer.step()
    for name, weight in model.named_parameters():
        lr = 0.1 if name.startswith("head") else 0.02
        torch.testing.assert_close(weight.detach(), before[name] - lr * weight.grad)
    assert optim.rates(optimizer, 0.02) == pytest.approx({"train.lr": 0.02, "train.lr_head": 0.1})


def test_a_head_on_frozen_layers_and_a_model_without_one() -> None:
    model = Headed()
    for name, weight in model.named_parameters():
        weight.requires_grad_(name.startswith("head"))
    optimizer = optim.build(specs.Adam(lr=0.1, lr_head=0.5), model)
    assert [len(group["params"]) for group in optimizer.param_groups] == [2]
    optim.set_lr(optimizer, 0.1)
    assert optimizer.param_groups[0]["lr"] == 0.5
    with pytest.raises(TrainingError, match="trains no layer called head"):
        optim.build(specs.Adam(lr_head=0.5), nn.Linear(2, 2))


def test_the_penalty_is_part_of_the_loss() -> None:
    model, batch = Headed(), Batch(DATA.x, Y)
    aim = objective.build(specs.CrossEntropy(), DATA, TRAIN)
    objective.meet(aim, model, DATA, l2=0.1)
    loss, output = aim(model, batch)
    squares = model.body.weight.square().sum() + model.head.weight.square().sum()
    expected = nn.functional.cross_entropy(output, Y) + 0.1 * squares
    torch.testing.assert_close(loss, expected)
    frozen = nn.Sequential(nn.LayerNorm(3))
    with pytest.raises(TrainingError, match="trains no matrices or kernels"):
        objective.meet(aim, frozen, DATA, l2=0.1)


def test_the_penalty_of_a_loss_with_terms() -> None:
    model = nn.Linear(4, 2)
    aim = objective.build(specs.BatchHardTriplet(), DATA, TRAIN)
    objective.meet(aim, model, DATA)
    plain, _ = aim(model, Batch(DATA.x, Y))
    objective.meet(aim, model, DATA, l2=0.1)
    found, _ = aim(model, Batch(DATA.x, Y))
    penalty = 0.1 * float(model.weight.detach().square().sum())
    expected = [float(plain[0].detach()) + penalty, float(plain[1].detach())]
    assert found.tolist() == pytest.approx(expected)


def test_class_weights_by_hand() -> None:
    assert losses.weights("balanced", DATA, TRAIN).tolist() == pytest.approx([6 / 9, 2, 1])
    given = losses.weights([1, 0.5, 2], DATA, TRAIN)
    output = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
    each = nn.functional.cross_entropy(output, Y, reduction="none")
    criterion = losses.build(specs.CrossEntropy(), "classes", given)
    torch.testing.assert_close(criterion(output, Y), (given[Y] * each).mean())
    halves = (criterion(output[:2], Y[:2]) * 2 + criterion(output[2:], Y[2:]) * 6) / 8
    torch.testing.assert_close(criterion(output, Y), halves)
    smooth = losses.build(specs.CrossEntropy(label_smoothing=0.3), "classes", given)
    spread = -(given * output.log_softmax(1)).mean(1)
    torch.testing.assert_close(smooth(output, Y), (0.7 * given[Y] * each + 0.3 * spread).mean())


def test_weights_that_cannot_be() -> None:
    with pytest.raises(TrainingError, match="has 2 numbers, and the data has 3 classes"):
        losses.weights([1, 2], DATA, TRAIN)
    with pytest.raises(TrainingError, match="training split has no sample of class 'b'"):
        losses.weights("balanced", DATA, torch.tensor([0, 4]))


def test_the_best_constant_knows_the_weights() -> None:
    """For balanced weights of these very targets, all classes alike: log(3); and still the commonest class."""
    criterion = losses.build(specs.CrossEntropy(), "classes", losses.weights("balanced", DATA, TRAIN))
    found = baseline.baseline(Y[TRAIN], "classes", 3, criterion, lambda: Tally(Confusion(3)))
    assert found["loss"] == pytest.approx(math.log(3), rel=1e-5)
    assert found["acc"] == 0.5


def test_classes_drawn_alike() -> None:
    samples = place(shelve(DATA, CPU), {"train": TRAIN.repeat(2000)})["train"]
    plain = torch.cat(samples.cut(7))
    samples.balance()
    assert torch.equal(torch.cat(samples.cut(7)), plain)  # in its own order: for scoring
    batches = samples.cut(7, torch.Generator().manual_seed(3))
    drawn = torch.cat(batches)
    assert len(drawn) == 12_000
    assert [len(batch) for batch in batches[:-1]] == [7] * (len(batches) - 1)
    counts = torch.bincount(drawn, minlength=8)
    assert counts[6:].sum() == 0  # not of the split
    # Binomial: 5 standard deviations of 12,000 draws.
    for place_, share in enumerate([1 / 9, 1 / 9, 1 / 9, 1 / 3, 1 / 6, 1 / 6]):
        assert abs(int(counts[place_]) - 12_000 * share) < 5 * math.sqrt(12_000 * share * (1 - share))
    assert torch.equal(torch.cat(samples.cut(7, torch.Generator().manual_seed(3))), drawn)


def test_only_classes_can_be_balanced(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import torch\nfrom labtui.data import Dataset\n"
        "def data(root):\n    return Dataset(torch.zeros(20, 2), torch.zeros(20), 'regression', ['y'])\n"
        "def model(shape, outputs):\n    return torch.nn.Linear(2, 1)\n"
    )
    tables = recipe(train={"sampler": "balanced"}).tables()
    tables |= {"data": {"factory": "own:data"}, "model": {"factory": "own:model"}, "loss": {"name": "mse"}}
    plan = type(recipe()).model_validate(tables)
    material = setup.material(plan, tmp_path)
    with pytest.raises(TrainingError, match='sampler = "balanced" needs classes, and this data is for regr'):
        setup.parts(plan, material, CPU)
