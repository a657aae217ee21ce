"""Optimisers of many models at once: one row of weights and numbers for each.

They do what torch.optim's do, in the same order, on matrices (rows, weights) with a number for each row where
torch.optim has one for all; tests compare them. What depends on the step's number (bias corrections) is
computed beforehand and in double precision, as torch.optim computes it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labtui.recipe import optim as spec

RATES = ("rate", "size", "own")
"""Numbers that grow with the learning rate."""

Numbers = dict[str, Tensor]
"""Name to what a step needs of it: (rows, 1), or (rows, weights)."""


class Rows(ABC):
    """An optimiser's state of all rows. The base of the others.

    Args:
        tables: the recipes' `[optimizer]`, of one kind, one for each row.
        like: (rows, weights), of which there are averages.
        factors: (rows, weights) of the learning rate; absent: 1.
    """

    averages: ClassVar[tuple[str, ...]] = ()
    """Names, as in torch.optim's state, of what is kept for each weight."""
    scalars: ClassVar[tuple[str, ...]] = ("step",)
    """Names of what is kept for each row."""
    written: ClassVar[tuple[str, ...]] = ("step",)
    """Those of them that torch.optim's state has."""
    options: ClassVar[tuple[str, ...]] = ("weight_decay", "eps")
    """Names of the numbers that do not change."""

    decoupled: ClassVar[bool] = False
    """Weight decay is no part of the gradient."""

    def __init__(self, tables: Sequence[Any], like: Tensor, factors: Tensor | None = None) -> None:
        self.tables, self._factors = tables, factors
        names = dict.fromkeys(name for table in tables for name in self.kept(table))
        self.state = {name: torch.zeros_like(like) for name in names}
        self.numbers: dict[str, NDArray[np.float64]] = {name: np.zeros(len(tables)) for name in self.scalars}
        """Of each row; on the host, where they are known without asking the device."""
        self._fixed: Numbers = {}
        self._device = like.device
        for name in self.options:
            self._fix(name, [getattr(table, name) for table in tables])
        self._decays = any(table.weight_decay for table in tables)

    @classmethod
    def kept(cls, table: Any) -> tuple[str, ...]:
        """What is kept for each weight with these options."""
        return cls.averages

    def _fix(self, name: str, values: Any) -> None:
        self._fixed[name] = torch.tensor(np.array(values, np.float64)).float().to(self._device)[:, None]

    def plan(self, rates: NDArray[np.float64]) -> list[Numbers]:
        """What the next steps need.

        Args:
            rates: (steps, rows) learning rates.
        """
        found: list[dict[str, NDArray[np.float64]]] = []
        for rate in rates:
            self.numbers["step"] = self.numbers["step"] + 1
            found.append(self.of_step(rate))
        # One copy to the device for all.
        names = list(found[0])
        table = torch.from_numpy(np.array([[one[name] for name in names] for one in found]))
        placed = table.float().to(self._device)[..., None]
        return [dict(zip(names, row.unbind(0), strict=True)) for row in placed]

    def of_step(self, rate: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Numbers (rows,) of the step that `numbers` stands at."""
        return {"rate": rate}

    def step(self, weights: Tensor, gradient: Tensor, numbers: Numbers) -> None:
        """Do a step: `weights` (rows, weights) change in place."""
        if self._decays and not self.decoupled:
            gradient = gradient + self._fixed["weight_decay"] * weights
        if self._factors is not None:
            rates = {name: numbers[name] * self._factors for name in RATES if name in numbers}
            numbers = numbers | rates
        self.change(weights, gradient, self._fixed | numbers)

    @abstractmethod
    def change(self, weights: Tensor, g: Tensor, n: Numbers) -> None:
        """Do a step with a gradient that holds the weight decay."""

    def keep(self, rows: Sequence[int]) -> None:
        """Leave out all other rows."""
        at = list(rows)
        self.tables = [self.tables[row] for row in at]
        self.state = {name: value[at] for name, value in self.state.items()}
        self.numbers = {name: value[at] for name, value in self.numbers.items()}
        self._fixed = {name: value[at] for name, value in self._fixed.items()}
        self._factors = None if self._factors is None else self._factors[at]


class SGD(Rows):
    """torch.optim.SGD."""

    written = ()
    options = ("weight_decay", "momentum", "dampening")

    @classmethod
    def kept(cls, table: spec.SGD) -> tuple[str, ...]:
        return ("momentum_buffer",) if table.momentum else ()

    def of_step(self, rate: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        dampening = np.array([table.dampening if table.momentum else 0.0 for table in self.tables])
        # The first gradient is the momentum, whatever the dampening is.
        return {"rate": rate, "share": np.where(self.numbers["step"] == 1, 1.0, 1 - dampening)}

    def change(self, weights: Tensor, g: Tensor, n: Numbers) -> None:
        if "momentum_buffer" in self.state:
            buffer = self.state["momentum_buffer"]
            buffer.mul_(n["momentum"]).add_(g * n["share"])
            g = g + n["momentum"] * buffer if self.tables[0].nesterov else buffer
        weights.sub_(g * n["rate"])


class Adam(Rows):
    """torch.optim.Adam."""

    averages = ("exp_avg", "exp_avg_sq")
    options = ("weight_decay", "eps")

    def __init__(self, tables: Sequence[Any], like: Tensor, factors: Tensor | None = None) -> None:
        super().__init__(tables, like, factors)
        first, second = self.betas
        self._fix("left1", 1 - first)
        self._fix("beta2", second)
        self._fix("left2", 1 - second)

    @property
    def betas(self) -> NDArray[np.float64]:
        """(2, rows)."""
        return np.array([table.betas for table in self.tables]).T

    @classmethod
    def kept(cls, table: spec.Adam) -> tuple[str, ...]:
        return (*cls.averages, "max_exp_avg_sq") if table.amsgrad else cls.averages

    def of_step(self, rate: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        first, second = 1 - self.betas ** self.numbers["step"]
        return {"rate": rate, "size": rate / first, "root": second**-0.5}

    def change(self, weights: Tensor, g: Tensor, n: Numbers) -> None:
        mean, square = self.state["exp_avg"], self.state["exp_avg_sq"]
        mean.lerp_(g, n["left1"])
        square.mul_(n["beta2"]).add_(g.square().mul_(n["left2"]))
        if "max_exp_avg_sq" in self.state:
            square = torch.maximum(self.state["max_exp_avg_sq"], square, out=self.state["max_exp_avg_sq"])
        below = square.sqrt().mul_(n["root"]).add_(n["eps"])
        weights.sub_((mean * n["size"]).div_(below))


class AdamW(Adam):
    """torch.optim.AdamW."""

    decoupled = True

    def change(self, weights: Tensor, g: Tensor, n: Numbers) -> None:
        weights.mul_(1 - n["rate"] * n["weight_decay"])
        super().change(weights, g, n)


class NAdam(Adam):
    """torch.optim.NAdam."""

    scalars = written = ("step", "mu_product")

    def __init__(self, tables: Sequence[Any], like: Tensor, factors: Tensor | None = None) -> None:
        super().__init__(tables, like, factors)
        self.numbers["mu_product"] = np.ones(len(tables))

    @classmethod
    def kept(cls, table: Any) -> tuple[str, ...]:
        return cls.averages

    def of_step(self, rate: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        step = self.numbers["step"]
        decay = np.array([table.momentum_decay for table in self.tables])
        now, soon = (self.betas[0] * (1 - 0.5 * 0.96 ** (at * decay)) for at in (step, step + 1))
        # torch.optim keeps this product in single precision.
        product = (self.numbers["mu_product"] * now).astype(np.float32).astype(np.float64)
        self.numbers["mu_product"] = product
        second = 1 - self.betas[1] ** step
        return {
            "rate": rate,
            "own": rate * (1 - now) / (1 - product),
            "size": rate * soon / (1 - product * soon),
            "root": second**-0.5,
        }

    def change(self, weights: Tensor, g: Tensor, n: Numbers) -> None:
        mean, square = self.state["exp_avg"], self.state["exp_avg_sq"]
        mean.lerp_(g, n["left1"])
        square.mul_(n["beta2"]).add_(g.square().mul_(n["left2"]))
        below = square.sqrt().mul_(n["root"]).add_(n["eps"])
        weights.sub_((mean * n["size"]).add_(g * n["own"]).div_(below))


class Adagrad(Rows):
    """torch.optim.Adagrad."""

    averages = ("sum",)

    def __init__(self, tables: Sequence[Any], like: Tensor, factors: Tensor | None = None) -> None:
        super().__init__(tables, like, factors)
        begin = torch.tensor([table.initial_accumulator_value for table in tables])
        self.state["sum"] += begin.to(like.device)[:, None]

    def of_step(self, rate: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        decay = np.array([table.lr_decay for table in self.tables])
        return {"rate": rate / (1 + (self.numbers["step"] - 1) * decay)}

    def change(self, weights: Tensor, g: Tensor, n: Numbers) -> None:
        total = self.state["sum"].add_(g.square())
        weights.sub_((g * n["rate"]).div_(total.sqrt().add_(n["eps"])))


class Adadelta(Rows):
    """torch.optim.Adadelta."""

    averages = ("square_avg", "acc_delta")
    options = ("weight_decay", "eps", "rho")

    def __init__(self, tables: Sequence[Any], like: Tensor, factors: Tensor | None = None) -> None:
        super().__init__(tables, like, factors)
        self._fix("left", [1 - table.rho for table in tables])

    def change(self, weights: Tensor, g: Tensor, n: Numbers) -> None:
        square, moved = self.state["square_avg"], self.state["acc_delta"]
        square.mul_(n["rho"]).add_(g.square().mul_(n["left"]))
        delta = (moved + n["eps"]).sqrt_().div_((square + n["eps"]).sqrt_()).mul_(g)
        moved.mul_(n["rho"]).add_(delta.square().mul_(n["left"]))
        weights.sub_(delta.mul_(n["rate"]))


class RMSprop(Rows):
    """torch.optim.RMSprop."""

    averages = ("square_avg",)
    options = ("weight_decay", "eps", "alpha", "momentum")

    def __init__(self, tables: Sequence[Any], like: Tensor, factors: Tensor | None = None) -> None:
        super().__init__(tables, like, factors)
        self._fix("left", [1 - table.alpha for table in tables])

    @classmethod
    def kept(cls, table: spec.RMSprop) -> tuple[str, ...]:
        momentum = ("momentum_buffer",) if table.momentum else ()
        return (*cls.averages, *momentum, *(("grad_avg",) if table.centered else ()))

    def change(self, weights: Tensor, g: Tensor, n: Numbers) -> None:
        square, left = self.state["square_avg"], n["left"]
        square.mul_(n["alpha"]).add_(g.square().mul_(left))
        if "grad_avg" in self.state:
            mean = self.state["grad_avg"].lerp_(g, left)
            square = square - mean.square()
        change = g / square.sqrt().add_(n["eps"])
        if "momentum_buffer" in self.state:
            change = self.state["momentum_buffer"].mul_(n["momentum"]).add_(change)
        weights.sub_(change * n["rate"])


ROWS: dict[str, type[Rows]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "rmsprop": RMSprop,
}
"""The optimisers by name."""
