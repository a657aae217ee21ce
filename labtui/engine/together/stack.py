"""The weights of K models as a matrix of a row for each, its gradient and its step.

Nothing in a step waits for the device, and no row looks at another's numbers.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import vmap
from torch.fx.experimental.proxy_tensor import make_fx

from labtui.engine import optim
from labtui.engine.loop import Parts
from labtui.engine.losses import Criterion, Weighted
from labtui.engine.objective import is_weight
from labtui.engine.together.functional import Functional, averaging, rates
from labtui.engine.together.optimizers import ROWS, Numbers, Rows
from labtui.engine.together.tidy import tidy
from labtui.recipe.core import Recipe

Gradient = Callable[..., tuple[Tensor, Tensor, Tensor]]


Step = tuple[Tensor, Tensor, Tensor | None]
"""What came of a step: mean losses (rows,), outputs (rows, n, …), norms (rows,) of the gradients before they
were cut, if any is cut by its norm."""


@dataclass
class Given:
    """What the rows are given for one step."""

    x: Tensor
    """(rows, n, …)."""
    y: Tensor
    """(rows, n, …)."""
    share: Tensor | None = None
    """(rows, n): each sample's part of the mean; absent: all count alike."""
    masks: tuple[Tensor, ...] = ()
    """(rows, …) each."""


@dataclass(frozen=True)
class Weight:
    """One trained parameter's place in a row."""

    name: str
    shape: torch.Size
    begin: int
    end: int


class Stack:
    """K models of one kind, each with its recipe's numbers.

    Args:
        traced: put each kind of step down as a plain list of operations once, which takes half of the time
            of a step. Not for models that do something else in each step: what they did first is what
            is done then.
    """

    def __init__(self, recipes: Sequence[Recipe], parts: Sequence[Parts], traced: bool = True) -> None:
        first = parts[0]
        self.traced, self.l2 = traced, first.objective.l2
        self.model = Functional(
            first.model, [max(row) for row in zip(*(rates(p.model) for p in parts), strict=True)]
        )
        self.criterion = first.objective.criterion
        trained = {n: p for n, p in first.model.named_parameters() if p.requires_grad}
        ends = torch.tensor([0, *(p.numel() for p in trained.values())]).cumsum(0).tolist()
        self.columns = [
            Weight(name, p.shape, begin, end)
            for (name, p), begin, end in zip(trained.items(), ends[:-1], ends[1:], strict=True)
        ]
        self.flat = torch.stack([self._row(part.model) for part in parts])
        self.averages = averaging(first.model)
        """Names of what changes in `rest` with each step. Where there are any, no row may be padded."""
        self.rest = self._rest([part.model for part in parts])
        self._tables: list[Any] = [recipe.optimizer for recipe in recipes]
        self._factor = self._factors(parts)
        self.optimizer = self._new_optimizer()
        self._clip_value = self._limits([recipe.train.clip_value for recipe in recipes])
        self._clip_norm = self._limits([recipe.train.clip_norm for recipe in recipes])
        self._steps: dict[Any, Gradient] = {}
        self.model.model.train()

    def __len__(self) -> int:
        return len(self.flat)

    def _row(self, model: nn.Module) -> Tensor:
        """(weights,) of one model."""
        found = dict(model.named_parameters())
        return torch.cat([found[column.name].detach().flatten() for column in self.columns])

    def _rest(self, models: Sequence[nn.Module]) -> dict[str, Tensor]:
        """What is not trained and not the same for all: (rows, …) each."""
        trained = {column.name for column in self.columns}
        names = [name for name, _ in (*models[0].named_parameters(), *models[0].named_buffers())]
        of = [dict((*model.named_parameters(), *model.named_buffers())) for model in models]
        found = {}
        for name in names:
            if name in trained:
                continue
            if name in self.averages or not all(torch.equal(of[0][name], one[name]) for one in of[1:]):
                found[name] = torch.stack([one[name].detach() for one in of])
        return found

    def _factors(self, parts: Sequence[Parts]) -> Tensor | None:
        """(rows, weights) that the learning rate is multiplied with, if any has its own."""
        if not any(optim.FACTOR in group for group in parts[0].optimizer.param_groups):
            return None
        factors = torch.ones_like(self.flat)
        for row, part in zip(factors, parts, strict=True):
            place = {parameter: name for name, parameter in part.model.named_parameters()}
            columns = {column.name: column for column in self.columns}
            for group in part.optimizer.param_groups:
                for parameter in group["params"]:
                    column = columns[place[parameter]]
                    row[column.begin : column.end] = group.get(optim.FACTOR, 1.0)
        return factors

    def _limits(self, values: Sequence[float | None]) -> Tensor | None:
        if all(value is None for value in values):
            return None
        limits = [math.inf if value is None else value for value in values]
        return torch.tensor(limits, device=self.flat.device)[:, None]

    def named(self, row: Tensor) -> dict[str, Tensor]:
        """One row's weights by name."""
        pieces = torch.split(row, [column.end - column.begin for column in self.columns])
        return {
            column.name: piece.view(column.shape) for column, piece in zip(self.columns, pieces, strict=True)
        }

    def _one(
        self,
        row: Tensor,
        rest: Mapping[str, Tensor],
        x: Tensor,
        y: Tensor,
        share: Tensor | None,
        masks: Sequence[Tensor],
    ) -> tuple[Tensor, Tensor]:
        """One row's mean loss and outputs."""
        weights = self.named(row)
        output = self.model(weights | dict(rest), x, masks)
        loss = self.criterion(output, y) if share is None else weighed(self.criterion, output, y, share)
        if self.l2:
            penalised = [w for name, w in weights.items() if is_weight(name, w)]
            loss = loss + self.l2 * torch.stack([weight.square().sum() for weight in penalised]).sum()
        return loss, output

    def gradient(self, given: Given) -> tuple[Tensor, Tensor, Tensor]:
        """The gradient (rows, weights), mean losses (rows,) and outputs (rows, n, …) of a training step."""
        tensors = (*self.rest.values(), given.x, given.y, *given.masks)
        tensors += () if given.share is None else (given.share,)
        kind = (given.x.shape, len(given.masks), given.share is None, self.traced)
        if kind not in self._steps:
            work = self._work(len(given.masks), *tensors)
            self._steps[kind] = self._put_down(work, *tensors) if self.traced else work
        return self._steps[kind](self.flat, *tensors)

    def _put_down(self, work: Gradient, *tensors: Tensor) -> Gradient:
        """The same as a list of operations, if that gives the same."""
        everyone = range(len(self))
        with self.untouched(everyone):
            found: Gradient = tidy(make_fx(work)(self.flat, *tensors)).forward
        with self.untouched(everyone):
            first = work(self.flat, *tensors)
        with self.untouched(everyone):
            pairs = zip(first, found(self.flat, *tensors), strict=True)
        alike = all(torch.allclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True) for a, b in pairs)
        return found if alike else work

    def _work(self, masks: int, *tensors: Tensor) -> Gradient:
        """The gradient as a function of weights and of tensors such as these."""
        others, even = len(self.rest), len(tensors) == len(self.rest) + 2 + masks

        def one(row: Tensor, *own: Tensor) -> tuple[Tensor, Tensor]:
            rest = dict(zip(self.rest, own[:others], strict=True))
            (x, y), more = own[others : others + 2], own[others + 2 :]
            return self._one(row, rest, x, y, None if even else more[-1], more[:masks])

        def work(flat: Tensor, *tensors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            with torch.enable_grad():
                flat = flat.detach().requires_grad_()
                losses, output = vmap(one)(flat, *tensors)
                (gradient,) = torch.autograd.grad(losses.sum(), flat)
            return gradient, losses.detach(), output.detach()

        return work

    def step(self, given: Given, numbers: Numbers) -> Step:
        """Train all rows one step."""
        with torch.no_grad():
            gradient, losses, output = self.gradient(given)
            gradient, norm = self._cut(gradient)
            self.optimizer.step(self.flat, gradient, numbers)
        return losses, output, norm

    @contextmanager
    def untouched(self, rows: Sequence[int]) -> Iterator[None]:
        """Whatever is done inside, some rows are as before afterwards."""
        at, numbers = list(rows), self.optimizer.numbers
        tensors = (self.flat, *self.optimizer.state.values(), *(self.rest[name] for name in self.averages))
        kept = [tensor[at] for tensor in tensors] if at else []
        known = {name: values[at].copy() for name, values in numbers.items()}
        yield
        for tensor, rows_ in zip(tensors, kept, strict=False):
            tensor[at] = rows_
        for name, values in known.items():
            self.optimizer.numbers[name][at] = values

    def _cut(self, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        if self._clip_value is not None:
            gradient = gradient.clamp(-self._clip_value, self._clip_value)
        if self._clip_norm is None:
            return gradient, None
        norm = gradient.norm(dim=1, keepdim=True)
        return gradient * (self._clip_norm / (norm + 1e-6)).clamp(max=1.0), norm[:, 0]

    def evaluate(self, rows: Sequence[int], x: Tensor, y: Tensor, shared: bool) -> tuple[Tensor, Tensor]:
        """Mean losses (rows,) and outputs (rows, n, …) of some rows, in evaluation.

        Args:
            x, y: (rows, n, …), or (n, …) that are shared by all.
        """
        model, at = self.model.model.eval(), list(rows)
        place = None if shared else 0

        def one(row: Tensor, rest: dict[str, Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            return self._one(row, rest, x, y, None, ())

        rest = {name: value[at] for name, value in self.rest.items()}
        with torch.no_grad(), plain_attention():
            found = vmap(one, in_dims=(0, 0, place, place))(self.flat[at], rest, x, y)
        model.train()
        return found

    def give(self, row: int, parts: Parts, state: bool = False) -> None:
        """Give a row's weights to its model, and its optimiser's state to its optimiser."""
        found = dict(parts.model.named_parameters())
        own = self.named(self.flat[row])
        buffers = dict(parts.model.named_buffers())
        with torch.no_grad():
            torch._foreach_copy_([found[name] for name in own], list(own.values()))
            for name in self.averages:
                buffers[name].copy_(self.rest[name][row])
        if state:
            self._give_state(row, parts, found)

    def _give_state(self, row: int, parts: Parts, found: Mapping[str, nn.Parameter]) -> None:
        numbers = {name: float(values[row]) for name, values in self.optimizer.numbers.items()}
        if not numbers["step"]:
            return
        fused = {id(p): group.get("fused") for group in parts.optimizer.param_groups for p in group["params"]}
        kept = self.optimizer.kept(self.optimizer.tables[row])
        matrices = {name: self.named(self.optimizer.state[name][row]) for name in kept}
        for column in self.columns:
            weight = found[column.name]
            own: dict[str, Any] = {name: matrix[column.name].clone() for name, matrix in matrices.items()}
            for name in self.optimizer.written:
                device = weight.device if fused[id(weight)] else torch.device("cpu")
                own[name] = torch.tensor(numbers[name], dtype=torch.float32, device=device)
            if own:
                parts.optimizer.state[weight] = own

    def start(self, all_: Sequence[tuple[Parts, int]]) -> None:
        """Take over the models' weights, and the states of their optimisers after so many steps."""
        models = [parts.model for parts, _ in all_]
        before, self.rest = self.rest, self._rest(models)
        state, own = models[0].state_dict(), self.model.model.state_dict()
        fixed = own.keys() - set(self.averages)
        if self.rest.keys() != before.keys() or not all(
            torch.equal(own[name], state[name]) for name in fixed
        ):
            self.model.model.load_state_dict(state)
            self._steps = {}
        self.optimizer = self._new_optimizer()
        for row, (parts, step) in enumerate(all_):
            self._take(row, parts, step)

    def _new_optimizer(self) -> Rows:
        return ROWS[self._tables[0].name](self._tables, self.flat, self._factor)

    def _take(self, row: int, parts: Parts, step: int) -> None:
        found = dict(parts.model.named_parameters())
        self.flat[row] = self._row(parts.model)
        matrices = {name: self.named(state[row]) for name, state in self.optimizer.state.items()}
        self.optimizer.numbers["step"][row] = step
        for column in self.columns:
            own = parts.optimizer.state.get(found[column.name], {})
            for name, matrix in matrices.items():
                if own.get(name) is not None:
                    matrix[column.name].copy_(own[name])
            for name in self.optimizer.written:
                if name in own:
                    self.optimizer.numbers[name][row] = float(own[name])

    def keep(self, rows: Sequence[int]) -> None:
        """Leave out all other rows."""
        at = list(rows)
        self.flat = self.flat[at]
        self.rest = {name: value[at] for name, value in self.rest.items()}
        self.optimizer.keep(at)
        self._clip_value, self._clip_norm = (
            None if limit is None else limit[at] for limit in (self._clip_value, self._clip_norm)
        )
        self._steps = {}


def weighed(criterion: Criterion, output: Tensor, y: Tensor, share: Tensor) -> Tensor:
    """The mean loss of samples that do not count alike.

    Args:
        share: (n,) of the mean.
    """
    single: Any = copy.copy(criterion)
    single.reduction = "none"
    # The mean of weighted losses takes it itself.
    each = (
        nn.CrossEntropyLoss.forward(single, output, y) if isinstance(single, Weighted) else single(output, y)
    )
    return (each.flatten(1).mean(1) if each.ndim > 1 else each) @ share


@contextmanager
def plain_attention() -> Iterator[None]:
    """Attention in evaluation as in training: its fast path knows one set of weights only."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
