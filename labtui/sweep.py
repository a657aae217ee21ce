"""One recipe as the list of trainings it stands for: cells × repeats × folds."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any

from labtui.errors import RecipeError
from labtui.files.paths import new_run_id
from labtui.recipe.core import Recipe
from labtui.recipe.read import check

LIMIT = 10_000
"""Most runs that one launch makes."""


def expand(recipe: Recipe, source: str, repeats: int | None = None) -> list[Recipe]:
    """The trainings of a recipe, each a complete recipe that says where it came from.

    Folds, repeats and cells of one launch share a sweep id; a single training has none.

    Args:
        source: the recipe's file, as the user named it.
        repeats: instead of the recipe's own number; repeats count `train.seed` up.

    Raises:
        RecipeError: too many runs, or a cell that is no valid recipe.
    """
    space = recipe.sweep.space if recipe.sweep else {}
    repeats = repeats or (recipe.sweep.repeats if recipe.sweep else 1)
    folds = _folds(recipe)
    cells = math.prod(len(values) for values in space.values())
    total = cells * repeats * len(folds)
    if total > LIMIT:
        raise RecipeError(f"{source}: stands for {total:,} runs, more than {LIMIT:,}; narrow the sweep")
    if not total:
        raise RecipeError(f"{source}: sweep.space: every key needs at least one value")
    tables = {key: value for key, value in recipe.tables().items() if key != "sweep"}
    sweep = new_run_id(recipe.name) if total > 1 else ""
    found = []
    for number, values in enumerate(itertools.product(*space.values())):
        cell = dict(zip(space, values, strict=True))
        for repeat, fold in itertools.product(range(repeats), folds):
            one = copy.deepcopy(tables)
            origin: dict[str, Any] = {"file": source, "sweep": sweep}
            origin["title"] = ", ".join(f"{key}={_told(value)}" for key, value in cell.items())
            for key, value in cell.items():
                _set(one, key, value)
            if cell:
                origin["cell"] = number
            if repeats > 1:
                origin["repeat"] = repeat
                _count_seed(one, repeat)
            if fold is not None:
                origin["fold"] = fold
                _set(one, "validate.fold", fold)
            one["origin"] = {key: value for key, value in origin.items() if value != ""}
            found.append(check(one, f"{source}: cell {number}" if cell else source))
    return found


def _told(value: Any) -> str:
    """A value in a title; of a table such as an optimiser its name, then its options."""
    if not isinstance(value, dict):
        return str(value)
    first = [str(value["name"])] if "name" in value else []
    return " ".join(first + [f"{key}={_told(one)}" for key, one in value.items() if key != "name"])


def _folds(recipe: Recipe) -> list[int | None]:
    validate = recipe.validate_
    if recipe.command is None and validate.scheme in ("kfold", "group") and validate.fold is None:
        return list(range(validate.folds))
    return [None]


def _count_seed(tables: dict[str, Any], repeat: int) -> None:
    """Give a repeat its own seed; a command finds it as `{params.seed}` if it has one."""
    table = tables.get("params" if "command" in tables else "train", {})
    if isinstance(table.get("seed"), int):
        table["seed"] += repeat


def _set(tables: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    for part in path:
        tables = tables.setdefault(part, {})
        if not isinstance(tables, dict):
            raise RecipeError(f"sweep.space: {key}: {part} is no table")
    tables[last] = value
