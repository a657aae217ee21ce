"""Optimisers, schedules, losses: each spec has its builder, each schedule its formula."""

from __future__ import annotations

import math
import typing

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from labtui.engine import losses, optim, schedule
from labtui.engine.patience import Best, Patience
from labtui.errors import TrainingError
from labtui.recipe import optim as specs


def name_of(spec: type) -> str:
    return str(spec.model_fields["name"].default)  # type: ignore[attr-defined]


def test_specs_and_builders_are_one_to_one() -> None:
    assert {name_of(s) for s in specs.OPTIMIZERS} == set(optim.OPTIMIZERS)
    further = {
        "reconstruction",
        "masked_mse",
        "batch_hard_triplet",
        "distillation",
    }  # test_engine_objective.py
    assert {name_of(s) for s in specs.LOSSES} == set(losses.LOSSES) | further
    assert {name for fits in losses.FITS.values() for name in fits} == set(losses.LOSSES)


@pytest.mark.parametrize("spec", specs.OPTIMIZERS, ids=name_of)
def test_optimizers_have_torchs_defaults_but_for_what_is_set(spec: type[specs.Optimizer]) -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    mine = optim.build(spec(), nn.ParameterList([weight]))
    theirs = optim.OPTIMIZERS[name_of(spec)]([weight], lr=spec().lr)
    assert mine.defaults == theirs.defaults | ({"fused": True} if name_of(spec) in optim.FUSED else {})
    weight.grad = torch.ones(3)
    mine.step()
    assert (weight < 1).all()


@pytest.mark.parametrize("spec", [s for s in specs.OPTIMIZERS if name_of(s) in optim.FUSED], ids=name_of)
def test_fused_kernels_do_the_same(spec: type[specs.Optimizer]) -> None:
    weights = [torch.nn.Parameter(torch.linspace(-1, 1, 12).view(3, 4)) for _ in range(2)]
    table = spec(lr=0.1, weight_decay=0.01)
    mine = optim.build(table, nn.ParameterList(weights[:1]))
    plain = optim.OPTIMIZERS[name_of(spec)](weights[1:], **table.model_dump(exclude={"name", "lr_head"}))
    for number in range(5):
        for weight, optimizer in zip(weights, (mine, plain), strict=True):
            weight.grad = torch.sin(weight.detach() + number)
            optimizer.step()
    torch.testing.assert_close(*weights)


def test_complex_weights_are_trained_without_them() -> None:
    weight = torch.nn.Parameter(torch.ones(3, dtype=torch.complex64))
    weight.grad = torch.ones_like(weight)
    optim.build(specs.Adam(), nn.ParameterList([weight])).step()
    assert (weight != 1).all()


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ValidationError, match="needs momentum > 0"):
        specs.SGD(nesterov=True)


def test_nothing_to_train() -> None:
    frozen = torch.nn.Parameter(torch.ones(3), requires_grad=False)
    with pytest.raises(TrainingError, match="no parameter to train"):
        optim.build(specs.Adam(), nn.ParameterList([frozen]))


def build(table: specs.Schedule, lr: float = 1.0, steps: int = 10, epochs: int = 6) -> schedule.Schedule:
    return schedule.build(table, lr, steps, epochs, "min", None)


@pytest.mark.parametrize("spec", specs.SCHEDULES, ids=name_of)
def test_warm_up_comes_before_any_schedule(spec: type[specs.Schedule]) -> None:
    options = {"d_model": 16} if spec is specs.Noam else {}
    plain = build(spec(**options))
    late = build(spec(warmup_epochs=2, warmup_lr=1e-6, **options), epochs=8)
    assert [late(step) for step in range(20)] == [1e-6] * 20
    assert [late(20 + step) for step in range(60)] == [plain(step) for step in range(60)]


def test_step() -> None:
    rates = build(specs.Step(every=2, factor=0.5))
    assert [rates(10 * epoch) for epoch in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert rates(19) == 1


def test_cosine_is_torchs() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.3)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 60, eta_min=0.01)
    rates = build(specs.Cosine(min_lr=0.01), lr=0.3)
    for step in range(61):
        assert rates(step) == pytest.approx(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()


def test_linear() -> None:
    rates = build(specs.Linear(constant_epochs=2, decay_epochs=4))
    assert [rates(s) for s in (0, 20, 40, 60, 90)] == [1, 1, 0.5, 0, 0]
    rest = build(specs.Linear(constant_epochs=2))
    assert [rest(s) for s in range(0, 61, 5)] == [rates(s) for s in range(0, 61, 5)]


def test_noam() -> None:
    rates = build(specs.Noam(warmup=4000, d_model=140))
    for step in (1, 10, 3999, 4000, 4001, 33000):
        expected = 140**-0.5 * min(step**-0.5, step * 4000**-1.5)
        assert rates(step - 1) == pytest.approx(expected)
    with pytest.raises(TrainingError, match="d_model is missing"):
        build(specs.Noam())
    assert schedule.build(specs.Noam(), 1.0, 10, 6, "min", 140)(0) == rates(0)


def test_plateau_counts_as_keras_does() -> None:
    rates = build(specs.Plateau(factor=0.5, patience=2, min_delta=0.1, min_lr=0.2))
    seen = []
    for number, loss in enumerate([1.0, 0.95, 0.92, 0.5, 0.5, math.nan, 0.5, 0.5, 0.5, 0.5]):
        rates.observe({"val.loss": loss}, number)
        seen.append(rates(number))
    assert seen == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2]
    resumed = build(specs.Plateau(factor=0.5, patience=2, min_delta=0.1, min_lr=0.2))
    resumed.load_state_dict(rates.state_dict())
    assert resumed.state_dict() == rates.state_dict()


def test_plateau_never_raises_the_learning_rate() -> None:
    rates = build(specs.Plateau(patience=1, min_lr=0.5), lr=0.1)
    for number in range(5):
        rates.observe({"val.loss": 1.0}, number)
    assert rates(5) == 0.1


def test_patience_knows_directions() -> None:
    patience = Patience("max", limit=2, min_delta=0.0)
    assert [patience.lost(v) for v in (0.5, 0.6, 0.6, 0.7, 0.1, math.nan)] == [False] * 5 + [True]


def test_of_equal_values_the_first_is_best() -> None:
    best = Best("val.acc", "max")
    assert best.facts() is None
    taken = [best.offer(v, step, 0) for step, v in enumerate((math.nan, 0.5, 0.5, 0.4, 0.6, math.inf))]
    assert taken == [False, True, False, False, True, True]


@pytest.mark.parametrize("task", typing.cast(list[str], list(losses.FITS)))
def test_losses_take_the_targets_that_they_fit(task: str) -> None:
    target = {
        "classes": torch.tensor([0, 2]),
        "multilabel": torch.tensor([[0.0, 1, 1], [1, 0, 0]]),
        "regression": torch.rand(2, 3),
    }[task]
    output = torch.zeros(2, 3).log_softmax(1)
    for spec in specs.LOSSES[: len(losses.LOSSES)]:
        if name_of(spec) in losses.FITS[task]:
            assert losses.build(spec(), task)(output, target).shape == ()
        else:
            with pytest.raises(TrainingError, match="does not fit"):
                losses.build(spec(), task)
