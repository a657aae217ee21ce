"""Whether together is faster than apart: a few steps of both, in turn."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch
from torch import nn

from labtui.engine import optim
from labtui.engine.batch import Batch
from labtui.engine.together.feed import Feed
from labtui.engine.together.functional import rates
from labtui.engine.together.member import noise
from labtui.engine.together.noise import draw
from labtui.engine.together.prepare import Prepared
from labtui.engine.together.stack import Given, Stack

LEAST = 1.2
"""How many times as fast together has to be, to be chosen."""
HOPELESS = 0.4
"""Below it nothing is gained by putting steps down: that is twice as fast at best."""
FEWEST, MOST, LONG = 3, 30, 1.0
"""Steps that count: the fewest, the most, and the seconds after which the fewest are enough."""


def ratio(all_: Sequence[Prepared], stack: Stack, feed: Feed, slots: int) -> float:
    """How many times as fast all are together as they would be apart, `slots` at a time.

    The stack is another one afterwards: it has to be started again.
    """
    n = min(min(one.recipe.train.batch_size, len(one.parts.samples["train"])) for one in all_)
    both = (_alone(all_[0], n), _together(all_, stack, feed, n))
    share = len(all_) / min(slots, len(all_))
    traced, stack.traced = stack.traced, False
    found = share * _times_as_fast(*both, feed.device, most=1)
    stack.traced = traced
    return found if found < HOPELESS else share * _times_as_fast(*both, feed.device, MOST)


def _times_as_fast(
    one: Callable[[], object], other: Callable[[], object], device: torch.device, most: int
) -> float:
    """How many times as long the first takes as the second, after once each."""
    times: tuple[list[float], list[float]] = ([], [])
    one()
    other()
    begun = time.perf_counter()
    for number in range(most):
        for found, step in zip(times, (one, other), strict=True):
            found.append(_seconds(step, device))
        if number >= FEWEST and time.perf_counter() > begun + LONG:
            break
    first, second = map(median, times)
    return first / second


def _seconds(step: Callable[[], object], device: torch.device) -> float:
    begun = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begun


def _alone(one: Prepared, n: int) -> Callable[[], object]:
    """A step of one training, on copies."""
    samples, objective, table = one.parts.samples["train"], one.parts.objective, one.recipe.train
    model = copy.deepcopy(one.parts.model).train()
    spec: Any = one.recipe.optimizer
    optimizer = optim.build(spec, model)
    generator = torch.Generator(samples.device).manual_seed(0)
    weights = [weight for weight in model.parameters() if weight.requires_grad]

    def step() -> None:
        batch = samples.batch(samples.index[:n], generator)
        for weight in weights:
            weight.grad = None
        loss, _ = objective(model, Batch(batch.x, batch.y))
        loss.backward()  # type: ignore[no-untyped-call]
        if table.clip_value is not None:
            nn.utils.clip_grad_value_(weights, table.clip_value)
        if table.clip_norm is not None:
            nn.utils.clip_grad_norm_(weights, table.clip_norm)
        optimizer.step()

    return step


def _together(all_: Sequence[Prepared], stack: Stack, feed: Feed, n: int) -> Callable[[], object]:
    """A step of all trainings."""
    at = torch.stack([one.parts.samples["train"].index[:n] for one in all_])
    sizes, chances = [n] * len(all_), [rates(one.parts.model) for one in all_]
    augment = [torch.Generator(feed.device).manual_seed(0) for _ in all_]
    own = [noise(one.rng, feed.device) for one in all_]
    masks = stack.model.masks(feed.inputs(at, sizes, augment)[0]) if any(map(any, chances)) else []
    (numbers,) = stack.optimizer.plan(torch.tensor([[1e-6] * len(all_)], dtype=torch.float64).numpy())

    def step() -> None:
        x, y = feed.inputs(at, sizes, augment), feed.targets(at)
        stack.step(Given(x, y, masks=draw(masks, chances, own, sizes, feed.device)), numbers)

    return step
