"""The parts of each training, what is alike being shared; and whether the models can be stacked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from labtui.engine import setup
from labtui.engine.batch import Batch
from labtui.engine.failure import first_line
from labtui.engine.known import Known
from labtui.engine.loop import Parts
from labtui.engine.rng import rng_state, set_rng_state
from labtui.engine.together.apart import Apart, why_not
from labtui.engine.together.feed import Feed
from labtui.engine.together.functional import NORMS, averaging, rates
from labtui.engine.together.member import noise
from labtui.engine.together.noise import draw
from labtui.engine.together.stack import Given, Stack
from labtui.recipe.core import Recipe
from labtui.recipe.spec import UserPart

CLOSE = 1e-3
"""How near a row's first gradient has to be to that of its model alone, by its greatest part."""


@dataclass
class Prepared:
    """A training that has not begun."""

    recipe: Recipe
    material: setup.Material
    parts: Parts
    rng: dict[str, Any]
    """States of the global generators, as they are when it begins."""


def prepare(recipe: Recipe, lab: Path, code: Path, known: Known) -> Prepared:
    """Build the parts of one training.

    Args:
        known: shared by all of them.

    Raises:
        LabtuiError: a part cannot be built.
    """
    device = setup.choose_device(recipe.resources)
    material = setup.material(recipe, lab, code, known)
    parts = setup.parts(recipe, material, device, known=known)
    return Prepared(recipe, material, parts, rng_state(device, {}))


def stacked(all_: Sequence[Prepared]) -> tuple[Stack, Feed]:
    """The trainings as one.

    Raises:
        Apart: they cannot be; says why.
    """
    if why := why_not([one.recipe for one in all_]) or next(filter(None, map(unfit, all_)), None):
        raise Apart(why)
    if len({kind(one.parts.model) for one in all_}) > 1:
        raise Apart("their models have other layers")
    weights = [getattr(one.parts.objective.criterion, "weight", None) for one in all_]
    if any(not _same(weights[0], weight) for weight in weights[1:]):
        raise Apart("the classes of each weigh something else in the loss")
    parts, recipes = [one.parts for one in all_], [one.recipe for one in all_]
    feed = Feed(parts)
    try:
        # What a user's model does need not be the same in each step.
        stack = Stack(recipes, parts, traced=not isinstance(recipes[0].model, UserPart))
        compare(all_, stack, feed)
    except Apart:
        raise
    except Exception as error:  # vmap and the tracer raise almost anything
        raise Apart(f"the model cannot be stacked ({first_line(error)})") from error
    return stack, feed


def unfit(one: Prepared) -> str | None:
    """Why a training's parts are for it alone."""
    shelf, model = one.parts.samples["train"].shelf, one.parts.model
    if not isinstance(shelf.x, Tensor) or shelf.lengths is not None:
        return "the samples are of different lengths"
    for layer in model.modules():
        name = type(layer).__name__
        if isinstance(layer, _BatchNorm) and type(layer) not in NORMS:
            return f"{name} is for several processes"
        if isinstance(layer, nn.RNNBase):
            return f"{name} computes with one set of weights"
    if any(weight.dtype != torch.float32 for weight in model.parameters()):
        return "the weights are not of single precision"
    return None


def kind(model: nn.Module) -> str:
    """What is to be the same for all models: layers and their options, but for dropout; shapes."""
    shapes = [(name, tuple(weight.shape), weight.requires_grad) for name, weight in model.named_parameters()]
    return re.sub(r"\bp=[\d.e-]+", "", repr(model)) + repr(shapes)


def compare(all_: Sequence[Prepared], stack: Stack, feed: Feed) -> None:
    """See to it that a row's step is that of its model alone: on its first samples, with the masks that it
    would draw. Leaves everything as it was.

    Raises:
        Apart: it is another one.
    """
    n = min(one.recipe.train.batch_size for one in all_)
    n = min(n, *(len(one.parts.samples["train"]) for one in all_))
    at = torch.stack([one.parts.samples["train"].index[:n] for one in all_])
    own = [noise(one.rng, feed.device) for one in all_]
    augment = [torch.Generator(feed.device).manual_seed(one.recipe.train.seed) for one in all_]
    x, y = feed.inputs(at, [n] * len(all_), augment), feed.targets(at)
    on_cpu = feed.device.type == "cpu"
    chances = [rates(one.parts.model) for one in all_]
    masks = stack.model.masks(x[0]) if any(map(any, chances)) else []
    sizes = {len(one.parts.samples["train"]) for one in all_}
    if len(sizes) > 1 and any(mask.shape[0] != n for mask in masks):
        raise Apart("dropout before another dimension than the samples', of which not all have as many")
    given = Given(x, y, masks=draw(masks, chances, own, [n] * len(all_), feed.device))
    traced, stack.traced = stack.traced, False
    gradient, losses, _ = stack.gradient(given)
    stack.traced = traced
    if masks and not on_cpu:  # a GPU's own dropout draws in another way
        return
    for row, one in enumerate(all_):
        loss, found = alone(one, x[row], y[row])
        pairs = ((loss, losses[row]), (found, gradient[row]))
        if not all((a - b).abs().max() <= CLOSE * a.abs().max() + 1e-9 for a, b in pairs):
            raise Apart("a step of the stacked models is not that of each alone")


def alone(one: Prepared, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """What one model does with a batch alone: the mean loss, and the gradient (weights,).

    Raises:
        Apart: it changes something of its own by that.
    """
    model = one.parts.model.train()
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    set_rng_state(one.rng, x.device, {})
    loss, _ = one.parts.objective(model, Batch(x, y))
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    found = torch.cat([gradient.flatten() for gradient in torch.autograd.grad(loss, weights)])
    averages = averaging(model)
    for name, buffer in model.named_buffers():
        if name not in averages and not torch.equal(before[name], buffer):
            raise Apart("the model keeps something of each batch")
        buffer.copy_(before[name])
    return loss.detach(), found


def _same(a: Tensor | None, b: Tensor | None) -> bool:
    return a is b or (a is not None and b is not None and torch.equal(a, b))
