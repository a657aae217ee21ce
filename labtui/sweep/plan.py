"""A recipe as the trainings it stands for: cells × repeats × folds, made one by one."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labtui.errors import RecipeError
from labtui.files.goals import Goal, goal_of
from labtui.recipe.core import Recipe
from labtui.recipe.sweep import Sweep
from labtui.sweep import stack
from labtui.sweep.cells import Cell, cells, most, told
from labtui.sweep.resolve import Resolver
from labtui.sweep.space import Space

LIMIT = 1_000_000
"""Most trainings that a sweep without a budget may have."""
DRAWS = 300
"""So many candidates are tried before a search is said to be impossible."""


@dataclass(frozen=True)
class Training:
    """One run to be."""

    cell: Cell
    repeat: int | None
    fold: int | None
    values: Mapping[str, Any]
    """Recipe key to value: the cell's, with the seed of the repeat and the fold."""
    key: str
    """What tells it from others: a hash of its resolved recipe."""


class Plan:
    """The trainings of a recipe; iterating gives them in order, unless a search has yet to find its cells.

    Args:
        source: the recipe's file, as the user named it.

    Raises:
        RecipeError: there are too many, none, or a condition is wrong.
    """

    def __init__(self, recipe: Recipe, source: str) -> None:
        self.recipe, self.source = recipe, source
        self.sweep = recipe.sweep or Sweep()
        self.resolver = Resolver(recipe, source)
        self.folds = _folds(recipe.tables())
        """Folds that each cell has, unless it says so itself; `[None]`: no folds."""
        keys = {*self.sweep.space, *(key for cell in self.sweep.cells for key in cell)}
        self._folds_differ = any(key.startswith("validate") for key in keys)
        if not self.searches and self.sweep.runs is None and self.most > LIMIT:
            raise RecipeError(
                f"{source}: stands for {self.most:,} runs, more than {LIMIT:,}: set sweep.runs = N for the first N "
                'of them, method = "random" with a budget, or narrow the space'
            )

    @property
    def searches(self) -> bool:
        """Whether cells depend on what came of others."""
        return self.sweep.searches

    @property
    def each(self) -> int:
        """How many trainings a cell has, unless it changes `validate`."""
        return self.sweep.repeats * len(self.folds)

    @property
    def metric(self) -> str:
        """What cells are compared by, and what a search looks for; empty: not known."""
        return self.sweep.metric or str((self.resolver.tables.get("validate") or {}).get("monitor", ""))

    @property
    def objective(self) -> tuple[str, Goal]:
        """The metric that a search looks for, and whether less ("min") or more ("max") of it is better.

        Raises:
            RecipeError: that is not known.
        """
        metric = self.metric
        if not metric:
            raise RecipeError(f"{self.source}: sweep.metric: name the metric that the search is to look for")
        goal = goal_of(metric, self.recipe.goals)
        if goal is None:
            raise RecipeError(
                f"{self.source}: sweep.metric: is less or more of {metric} better? Say so in the recipe: [goals] "
                f'"{metric}" = "min" or "max"'
            )
        return metric, goal

    @property
    def most(self) -> int:
        """How many trainings there are at most; of a search that only hours end, 0: nobody knows."""
        if self.searches:
            return (self.sweep.runs or 0) // self.each * self.each
        total = most(self.sweep) * self.each
        return min(total, self.sweep.runs or total)

    @property
    def single(self) -> bool:
        """Whether it is one training, and no sweep."""
        return not self.searches and most(self.sweep) * self.each == 1

    def __iter__(self) -> Iterator[Training]:
        """All trainings, each once.

        Raises:
            RecipeError: a cell has a value that the recipe cannot have; or there is no cell.
        """
        seen: dict[str, Cell] = {}
        for cell in cells(self.sweep, self.resolver.tables):
            for training in self.of(cell):
                if (first := seen.get(training.key)) is None:
                    seen[training.key] = cell
                    yield training
                elif (
                    self.sweep.method == "list" and first is not cell
                ):  # somebody wrote it down, with a title perhaps
                    raise RecipeError(
                        f"{self.source}: sweep.cells: cell {cell.number} ({cell.title}) is the same training as cell "
                        f"{first.number} ({first.title}): leave one out, or set sweep.repeats for more seeds"
                    )
                if len(seen) == self.sweep.runs:
                    return
        if not seen:
            raise RecipeError(f"{self.source}: sweep.constraints: no cell fits them")

    def of(self, cell: Cell) -> Iterator[Training]:
        """The trainings of one cell.

        Raises:
            RecipeError: a value is none that the recipe can have.
        """
        try:
            for repeat, fold in itertools.product(range(self.sweep.repeats), self._folds_of(cell)):
                values, salt = dict(cell.values), ""
                if repeat and not self._count_seed(values, repeat):
                    salt = f"repeat {repeat}"
                if fold is not None:
                    values["validate.fold"] = fold
                key = self.resolver.key(values, salt)
                yield Training(cell, repeat if self.sweep.repeats > 1 else None, fold, values, key)
        except RecipeError as error:
            raise RecipeError(
                f"{error} (cell {cell.number}: {cell.title})" if cell.values else str(error)
            ) from None

    def resolved(self, training: Training, sweep: str) -> Recipe:
        """The recipe of one training, complete, which says where it came from.

        Args:
            sweep: id that the trainings share; empty for a single one.

        Raises:
            RecipeError: it is no valid recipe.
        """
        cell = training.cell
        origin: dict[str, Any] = {"file": self.source, "sweep": sweep, "title": cell.title}
        one_of_many = bool(self.sweep.space or self.sweep.cells)  # also one that is the recipe as it stands
        if one_of_many:
            origin["cell"] = cell.number
        if training.repeat is not None:
            origin["repeat"] = training.repeat
        if training.fold is not None:
            origin["fold"] = training.fold
        if sweep:
            origin["key"] = training.key
        where = f"{self.source}: cell {cell.number}" if one_of_many else self.source
        told = {key: value for key, value in origin.items() if value != ""}
        recipe = self.resolver.resolved(training.values, told, where)
        if sweep and self.sweep.together:
            own = {"together": self.sweep.together, "stack": stack.key(recipe.tables(), self.sweep.together)}
            return recipe.model_copy(update={"origin": recipe.origin.model_copy(update=own)})
        return recipe

    def check(self) -> int:
        """See that it can be done, as far as that can be known before anything is; how many trainings it has.

        Raises:
            RecipeError: a cell has a value that the recipe cannot have; or a search has no metric, no
                direction, too small a budget, or a key whose values no candidate can have.
        """
        if not self.searches:
            return sum(1 for _ in self)
        _ = self.objective
        if self.sweep.runs is not None and self.sweep.runs < self.each:
            raise RecipeError(
                f"{self.source}: sweep.runs = {self.sweep.runs} is less than the {self.each} trainings of one "
                "candidate (repeats × folds)"
            )
        self._try()
        return self.most

    def _try(self) -> None:
        """See that each key of a search takes some value with which a candidate is a recipe."""
        space, draw = Space(self.sweep, self.resolver.tables), random.Random(0)
        unseen, wrong, fits = set(self.sweep.space), dict[str, RecipeError](), False
        for _ in range(DRAWS):
            values = space.some(draw)
            if not space.fits(values):
                continue
            fits = True
            try:
                list(self.of(Cell(0, told(values), values)))
            except RecipeError as error:
                wrong = dict.fromkeys(values, error) | wrong
            else:
                unseen -= values.keys()
            if not unseen:
                return
        if not fits:
            raise RecipeError(
                f"{self.source}: sweep.constraints: none of {DRAWS} candidates fits them: loosen them, or narrow "
                "sweep.space to what fits"
            )
        for key in sorted(unseen & wrong.keys()):
            raise wrong[key]

    def _folds_of(self, cell: Cell) -> list[int | None]:
        if self._folds_differ and any(key.startswith("validate") for key in cell.values):
            return _folds(self.resolver.tables_of(cell.values))
        return self.folds

    def _count_seed(self, values: dict[str, Any], repeat: int) -> bool:
        """Give a repeat its own seed; a command finds it as `{params.seed}`. Whether it has one."""
        key = "params.seed" if self.recipe.command is not None else "train.seed"
        table, _, name = key.partition(".")
        whole = values.get(table, self.resolver.tables.get(table, {}))
        seed = values.get(key, whole.get(name))
        if not isinstance(seed, int):
            return False
        values[key] = seed + repeat
        return True


def expand(recipe: Recipe, source: str) -> list[Recipe]:
    """The trainings of a recipe that is no search, each a complete recipe that says where it came from.

    Args:
        source: the recipe's file, as the user named it.

    Raises:
        RecipeError: too many runs, or a cell that is no valid recipe.
    """
    from labtui.files.paths import new_run_id

    plan = Plan(recipe, source)
    sweep = "" if plan.single else new_run_id(recipe.name)
    return [plan.resolved(training, sweep) for training in plan]


def _folds(tables: Mapping[str, Any]) -> list[int | None]:
    validate = tables.get("validate", {})
    scheme = validate.get("scheme")
    if "command" not in tables and scheme in ("kfold", "group") and validate.get("fold") is None:
        return list(range(validate["folds"]))
    return [None]
