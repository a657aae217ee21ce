"""The cells of a sweep: which values a recipe's keys take, one table after the other, none kept."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from labtui.errors import FilterError, RecipeError
from labtui.expression import parse
from labtui.files.toml import flatten, short_keys
from labtui.recipe.sweep import Range, Sweep

Values = dict[str, Any]
TITLE = "title"
"""Of a listed cell's table, what names it."""


@dataclass(frozen=True)
class Cell:
    """One row of a sweep's table."""

    number: int
    """Its place, from 0."""
    name: str
    """Its own title; empty: none."""
    values: Values
    """Recipe key to value; where a condition is not met the key is absent."""

    @property
    def title(self) -> str:
        """What it is called: its own title, or its values."""
        return self.name or told(self.values)


def most(sweep: Sweep) -> int:
    """How many cells there are at most: conditions may leave some out. A search has none by itself."""
    if sweep.method == "list":
        return len(sweep.cells)
    lengths = [len(values) for values in sweep.space.values() if not isinstance(values, Range)]
    return max(lengths, default=1) if sweep.method == "zip" else math.prod(lengths)


def cells(sweep: Sweep, base: Mapping[str, Any]) -> Iterator[Cell]:
    """The cells in order, as they are asked for; those of a search are not known beforehand.

    Args:
        base: the recipe's resolved tables, in which conditions look up what a cell does not set.

    Raises:
        RecipeError: a condition cannot be read, or names a key that there is not.
    """
    applies = Conditions(sweep, base)
    number, seen = 0, set[str]()
    for title, given in _given(sweep):
        values = applies.kept(given)
        if values is None:
            continue
        if sweep.when:  # without its condition a key takes no values, and cells become equal
            if (same := repr(values)) in seen:
                continue
            seen.add(same)
        yield Cell(number, title, values)
        number += 1


def _given(sweep: Sweep) -> Iterator[tuple[str, Values]]:
    """Title and values of each cell, as they stand in the recipe."""
    if sweep.method == "list":
        for cell in sweep.cells:
            yield str(cell.get(TITLE, "")), leaves({key: v for key, v in cell.items() if key != TITLE})
        return
    lists = [values for values in sweep.space.values() if isinstance(values, list)]
    rows = zip(*lists, strict=True) if sweep.method == "zip" and lists else itertools.product(*lists)
    for row in rows:
        yield "", dict(zip(sweep.space, row, strict=True))


def leaves(values: Mapping[str, Any]) -> Values:
    """Keys and values of a listed cell: `optimizer.lr = 0.1` and `"optimizer.lr" = 0.1` are the same, and a
    table with a `name` or `factory` replaces the recipe's."""
    found: Values = {}
    for key, value in values.items():
        if isinstance(value, dict) and "." not in key and not {"name", "factory"} & value.keys():
            found |= {f"{key}.{below}": v for below, v in leaves(value).items()}
        else:
            found[key] = value
    return found


def told(values: Mapping[str, Any]) -> str:
    """Values as a title: `optimizer=sgd, lr=0.1`."""
    names = short_keys(list(values))
    return ", ".join(f"{name}={_told(value)}" for name, value in zip(names, values.values(), strict=True))


def _told(value: Any) -> str:
    """A value in a title; of a table such as an optimiser its name, then its options."""
    if not isinstance(value, dict):
        return str(value)
    first = [str(value["name"])] if "name" in value else []
    return " ".join(first + [f"{key}={_told(one)}" for key, one in value.items() if key != "name"])


class Conditions:
    """`when` and `constraints` of a sweep.

    Raises:
        RecipeError: one cannot be read, names a key that there is not, or keys wait for each other.
    """

    def __init__(self, sweep: Sweep, base: Mapping[str, Any]) -> None:
        self._base = flatten(base)
        known = {*self._base, *sweep.space, *(key for cell in sweep.cells for key in leaves(cell))}
        tests = {key: _test(f"sweep.when: {key}", text, known) for key, text in sweep.when.items()}
        # A key comes after those that its condition names, so that these apply or not by then.
        after = {key: [other for other in keys if other in tests] for key, (_, keys) in tests.items()}
        try:
            self._when = {key: tests[key][0] for key in TopologicalSorter(after).static_order()}
        except CycleError as error:
            raise RecipeError(f"sweep.when: keys wait for each other: {', '.join(error.args[1])}") from None
        self._constraints = [_test("sweep.constraints", one, known)[0] for one in sweep.constraints]
        self.order = [key for key in sweep.space if key not in self._when] + list(self._when)
        """Keys of the space, each after those that its condition names."""

    def applies(self, key: str, values: Values) -> bool:
        """Whether a key takes a value of its own where those before it have these."""
        return key not in self._when or self._when[key](self._base | flatten(values))

    def kept(self, values: Values) -> Values | None:
        """What of a cell's values applies; None when the cell does not fit a constraint."""
        if not self._when and not self._constraints:
            return values
        row = self._base | flatten(values)
        for key, test in self._when.items():
            if key in values and not test(row):
                values = {other: value for other, value in values.items() if other != key}
                # A key that does not apply has the recipe's own value, for other conditions too.
                row = self._base | flatten(values)
        return values if all(test(row) for test in self._constraints) else None


def _test(where: str, text: str, known: set[str]) -> tuple[Callable[[Mapping[str, Any]], bool], list[str]]:
    """A condition as a test of rows, and the keys that it names."""
    from labtui.files.plain import nearest

    try:
        test, keys = parse(text, lambda row, key: row.get(key))
    except FilterError as error:
        raise RecipeError(f"{where}: {error}") from None
    for key in keys:
        if key not in known and not any(one.startswith(f"{key}.") for one in known):
            raise RecipeError(f"{where}: {text!r}: the recipe has no {key}{nearest(key, known)}")
    return test, keys
