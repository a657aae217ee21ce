"""`[sweep]`: the cells, repeats and budget of several trainings from one recipe."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from labtui.recipe.spec import Spec

SEARCHES = ("random", "tpe", "qmc", "nsgaii")
"""Methods whose cells are drawn one after the other, until a budget is spent."""


class Range(Spec):
    """Numbers from `low` to `high`, both of them possible; whole ones where both bounds are."""

    low: int | float
    """The smallest."""
    high: int | float
    """The largest."""
    log: bool = False
    """As likely in each decade, for learning rates and their like."""
    step: int | float | None = Field(None, gt=0)
    """Only `low`, `low + step`, …; absent: any number, or any whole number."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"log = true needs low above 0, got {self.low}")
        if self.log and self.step is not None:
            raise ValueError("log = true and step exclude each other")
        if self.step is not None and isinstance(self.step, float) and self.whole:
            raise ValueError(f"step = {self.step} between whole numbers: write low and high with a point")
        return self

    @property
    def whole(self) -> bool:
        """Whether it is one of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)


def _kind(value: Any) -> str:
    return "range" if isinstance(value, (dict, Range)) else "list"


Values = Annotated[
    Annotated[list[Any], Field(min_length=1), Tag("list")] | Annotated[Range, Tag("range")],
    Discriminator(_kind),
]
"""What a key takes: a list, or for a search also a range."""


class Pruner(Spec):
    """Ends trials of a search early that are worse than others were at the same epoch (Optuna's pruners)."""

    name: Literal["median", "asha", "hyperband"]
    """Worse than the median of the others; asynchronous successive halving (Li et al. 2020, A System for
    Massively Parallel Hyperparameter Tuning); or several such brackets (Li et al. 2018, Hyperband)."""
    startup: int = Field(5, ge=0)
    """Trials that have to be over before one is ended early (median)."""
    warmup: int = Field(1, ge=0)
    """Epochs that each trial has in any case."""
    reduction: int = Field(3, ge=2)
    """One in so many goes on at each rung (asha, hyperband)."""


class Sweep(Spec):
    """Several trainings from one recipe: cells, each with its folds and repeats."""

    method: Literal["grid", "list", "zip", "random", "tpe", "qmc", "nsgaii"] = "grid"
    """How cells are made: the product of all lists, `cells` one by one, the lists of `space` side by side; or a
    search through Optuna, which learns from the cells that are done: tree-structured Parzen estimators
    (Bergstra et al. 2011), random or quasi-random (Sobol) numbers, or a genetic algorithm (NSGA-II,
    generations of 50)."""
    space: dict[str, Values] = {}
    """Recipe key to the values it takes: a list, or for a search also `{low, high}`; empty: one cell."""
    cells: list[dict[str, Any]] = []
    """The cells of `method = "list"`: recipe keys and their values, and a `title`."""
    when: dict[str, str] = {}
    """Key of `space` to a condition without which it keeps the recipe's own value:
    `"optimizer.momentum" = "optimizer.name=sgd"`, in the language of `ls --filter`."""
    constraints: list[str] = []
    """Conditions that each cell has to fit, such as "model.d_model % model.nhead = 0"; others are left out."""
    repeats: int = Field(1, ge=1)
    """Trainings of each cell and fold, with `train.seed` counted up."""
    runs: int | None = Field(None, ge=1)
    """Budget: at most so many trainings. What comes after them is not made."""
    hours: float | None = Field(None, gt=0)
    """Budget: no more trainings are queued when those of the sweep have taken so many hours together; those that
    are queued by then start yet."""
    metric: str | None = None
    """What is best so far, and what a search looks for; absent: `validate.monitor`. Of a cell's folds and
    repeats it is the mean, each at its best epoch."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of a search."""
    pruner: Pruner | None = None
    """Ends hopeless trials of a search; absent: none."""
    together: bool | Literal["auto"] = False
    """Train cells, folds and repeats that differ in numbers only in one process, as one stacked model: true,
    wherever that is possible; "auto": where it was measured to be faster."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    @property
    def searches(self) -> bool:
        """Whether cells depend on what came of others."""
        return self.method in SEARCHES

    def _problems(self) -> Any:
        """What does not go together; nothing that is set is ever left unused."""
        ranges = [key for key, values in self.space.items() if isinstance(values, Range)]
        lengths = {key: len(v) for key, v in self.space.items() if not isinstance(v, Range)}
        if self.method == "list":
            if not self.cells:
                yield 'method = "list" needs [[sweep.cells]]'
            if self.space:
                yield 'method = "list" has its values in [[sweep.cells]]: leave `space` out'
        elif self.cells:
            yield f'[[sweep.cells]] are for method = "list", and this is {self.method!r}'
        if not self.searches and ranges:
            yield f"space: {ranges[0]}: low and high are for {', '.join(SEARCHES)}; a {self.method} needs a list"
        if self.method == "zip" and len(set(lengths.values())) > 1:
            told = ", ".join(f"{key} {length}" for key, length in lengths.items())
            yield f'method = "zip" needs lists of one length, and these have {told}'
        if self.searches and not self.space:
            yield f"method = {self.method!r} needs a `space` to search"
        if self.searches and self.runs is None and self.hours is None:
            yield f"method = {self.method!r} ends with its budget: set sweep.runs or sweep.hours"
        for key in ("pruner", "seed"):
            if not self.searches and getattr(self, key):
                yield f"{key} is for a search ({', '.join(SEARCHES)})"
        for key in self.when:
            if key not in self.space:
                yield f"when: {key} is no key of `space`"
