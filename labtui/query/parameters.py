"""What cells differ in, as numbers: one column a key, on the scale on which it is to be seen.

* A key is a **number** when all its values are finite numbers, or texts that read as such. It is seen on a
  logarithmic scale where its range says `log`, and from two decades on if its values lie more evenly there.
* All else is a **category**: words, truth values, lists, tables, numbers among words, `inf`. Its values are
  told apart by how they are written.
* A key that some cells do not have (that of another optimiser) is **missing** there: NaN in its column.
* A key **follows** another one when that one tells it: `optimizer.betas` that only Adam has, the second of
  two lists that are zipped. It can explain nothing of its own and is named, not analysed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

FEW = 10
"""Distinct numbers up to which each is seen by itself; more are put into bins."""
BINS = 8
MOST = 24
"""Categories that are told apart; of more, the rarest are one: `others`."""
DECADES = 2.0
"""Span from which on positive numbers are seen on a logarithmic scale."""
ENOUGH = 8
"""Cells from which on it can be seen that one key follows another."""
ALONE = 0.1
"""Part of the cells up to which a key's values may occur once, where it is to tell another key."""
MISSING = "–"


@dataclass(frozen=True, eq=False)
class Parameter:
    """One key of n cells, or their metric."""

    name: str
    kind: Literal["number", "category"]
    column: Floats
    """(n,) numbers, or places in `labels`; NaN where a cell has none."""
    labels: tuple[str, ...] = ()
    """Of a category, in their order."""
    log: bool = False

    @property
    def missing(self) -> int:
        """Cells without this key."""
        return int(np.isnan(self.column).sum())

    @cached_property
    def distinct(self) -> Floats:
        """The values that occur, ascending."""
        return np.unique(self.column[~np.isnan(self.column)])

    @cached_property
    def scaled(self) -> Floats:
        """(n,) the column as it is seen: decimal exponents where the scale is logarithmic."""
        return np.log10(self.column) if self.log else self.column

    @cached_property
    def span(self) -> tuple[float, float]:
        """From and to of `scaled`; (0, 1) where there is no value."""
        if not self.distinct.size:
            return 0.0, 1.0
        if self.kind == "category":
            return 0.0, float(len(self.labels) - 1)
        low, high = float(self.distinct[0]), float(self.distinct[-1])
        return (math.log10(low), math.log10(high)) if self.log else (low, high)

    def place(self, scaled: Floats) -> Floats:
        """Scaled values as parts of the span, 0 to 1; the middle where the span is empty."""
        low, high = self.span
        if not high / 2 - low / 2 > 0:
            return np.where(np.isnan(scaled), np.nan, 0.5)
        return np.asarray((scaled / 2 - low / 2) / (high / 2 - low / 2), np.float64)

    def label(self, value: float) -> str:
        """A value of the column in words."""
        if math.isnan(value):
            return MISSING
        return self.labels[int(value)] if self.kind == "category" else short(value, self._digits)

    @cached_property
    def _digits(self) -> int:
        return _digits(self.distinct.tolist()) if self.distinct.size <= FEW else 4

    def told(self) -> list[Any]:
        """The column as plain values: numbers, words, None where missing."""
        if self.kind == "number":
            return [None if math.isnan(v) else v for v in self.column.tolist()]
        return [None if math.isnan(v) else self.labels[int(v)] for v in self.column.tolist()]


def short(value: float, digits: int = 4) -> str:
    """A number with at most so many digits that count; whole numbers below ten millions in full."""
    if abs(value) < 1e7 and value == int(value):
        return str(int(value))
    text = f"{value:.{digits - 1}e}" if abs(value) < 1e-3 else f"{value:.{digits}g}"
    mantissa, mark, exponent = text.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    if mark and 0 <= int(exponent) < 7:
        return f"{value:.0f}"
    return f"{mantissa}e{int(exponent)}" if mark else mantissa


def _digits(values: Sequence[float]) -> int:
    """As few digits, from four, as tell the values apart."""
    return next((d for d in range(4, 17) if len({short(v, d) for v in values}) == len(set(values))), 17)


def written(value: Any) -> str:
    """A value as text, by which categories are told apart; of a table its name first."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
    if isinstance(value, Mapping):
        parts = [written(value["name"])] if "name" in value else []
        parts += [f"{key}={written(one)}" for key, one in value.items() if key != "name"]
        return " ".join(parts) or "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    return str(value)


def parameter(name: str, values: Sequence[Any], log: bool = False) -> Parameter:
    """A key's values as a column.

    Args:
        values: of any kind, one a cell; None where a cell has none.
        log: see it on a logarithmic scale, where its numbers allow that.
    """
    numbers = [None if value is None else _number(value) for value in values]
    if all(n is not None and math.isfinite(n) for n, v in zip(numbers, values, strict=True) if v is not None):
        column = np.array([math.nan if n is None else n for n in numbers], np.float64)
        return Parameter(name, "number", column, log=_logarithmic(column, log))
    texts = [None if value is None else written(value) for value in values]
    labels = dict.fromkeys(text for text in texts if text is not None)
    if set(labels) <= {"false", "true"}:
        labels = dict.fromkeys(sorted(labels))
    elif all(n is not None for n, v in zip(numbers, values, strict=True) if v is not None):
        labels = dict.fromkeys(sorted(labels, key=lambda t: (math.isnan(float(t)), float(t))))
    codes = {label: float(place) for place, label in enumerate(labels)}
    column = np.array([math.nan if text is None else codes[text] for text in texts], np.float64)
    return Parameter(name, "category", column, tuple(labels))


def measured(name: str, values: Floats) -> Parameter:
    """A metric's values as a column."""
    return Parameter(name, "number", values, log=_logarithmic(values, False))


def _number(value: Any) -> float | None:
    """A number, or a text that reads as one (a command's parameters may be texts); else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _logarithmic(column: Floats, wanted: bool) -> bool:
    known = np.unique(column[np.isfinite(column)])
    if known.size < 2 or not known[0] > 0:
        return False
    low, high, middle = (np.log10(known[i]) for i in (0, -1, (known.size - 1) // 2))
    if high - low < DECADES - 1e-9:
        return wanted
    # Numbers drawn evenly from 0 to 1 span decades, too: the middle one says which scale they are even on.
    linear = (known[(known.size - 1) // 2] / 2 - known[0] / 2) / (known[-1] / 2 - known[0] / 2)
    return wanted or bool(abs((middle - low) / (high - low) - 0.5) <= abs(linear - 0.5))


@dataclass(frozen=True, eq=False)
class Bins:
    """The values of a key put together where they are many."""

    labels: list[str]
    codes: Codes
    """(n,) which of them each cell is in."""
    centres: Floats
    """Middle of each on the key's scale, as a part of its span; NaN of those that have none."""


def bins(parameter: Parameter) -> Bins:
    """Each value by itself, or BINS equal parts of the scale where numbers are many; cells without the key
    are in one of their own, the last."""
    known = ~np.isnan(parameter.column)
    codes = np.zeros(parameter.column.shape, np.intp)
    if parameter.kind == "number" and parameter.distinct.size > FEW:
        low, high = parameter.span
        part = parameter.place(parameter.scaled[known])
        codes[known] = np.clip(part * BINS, 0, BINS - 1).astype(np.intp)
        edges = low + (high - low) * np.linspace(0, 1, BINS + 1)
        ends = [10.0**edge if parameter.log else edge for edge in edges.tolist()]
        texts = [short(end, _digits(ends) - 1) for end in ends]
        labels = [f"{one}–{other}" for one, other in itertools.pairwise(texts)]
        centres = (np.arange(BINS) + 0.5) / BINS
    else:
        codes[known] = np.searchsorted(parameter.distinct, parameter.column[known])
        kept = parameter.distinct
        if kept.size > MOST:
            kept, codes = _common(kept, codes, known)
        labels = [parameter.label(value) for value in kept.tolist()]
        centres = parameter.place(np.log10(kept) if parameter.log else kept)
        if kept.size < parameter.distinct.size:
            labels.append(f"others ({parameter.distinct.size - kept.size})")
            centres = np.append(centres, np.nan)
    if not known.all():
        codes[~known] = len(labels)
        labels.append(MISSING)
        centres = np.append(centres, np.nan)
    return Bins(labels, codes, centres)


def _common(values: Floats, codes: Codes, known: NDArray[np.bool_]) -> tuple[Floats, Codes]:
    """The values that occur most often, and codes in which all others are one more."""
    counts = np.bincount(codes[known], minlength=values.size)
    kept = np.sort(np.argsort(-counts, kind="stable")[: MOST - 1])
    renamed = np.full(values.size, kept.size, np.intp)
    renamed[kept] = np.arange(kept.size)
    return values[kept], renamed[codes]


def differing(values: Iterable[tuple[str, Sequence[Any]]], log: Collection[str] = ()) -> list[Parameter]:
    """The keys that have more than one value, or that some cells have and some have not."""
    found = [parameter(key, column, key in log) for key, column in values]
    return [one for one in found if one.distinct.size + bool(one.missing) > 1]


def following(parameters: Sequence[Parameter]) -> dict[str, str]:
    """Key to the key that tells it, for those that say nothing of their own.

    A key tells another one where each of its values goes with one value of the other. For a key whose values
    hardly repeat, as in a random search, that says nothing: then it has to be in the same or the opposite
    order, too. A key with one value, which some cells have, follows the category that says which.
    """
    codes = [_codes(one) for one in parameters]
    found: dict[str, str] = {}
    order = sorted(range(len(parameters)), key=lambda i: int(codes[i].max(initial=0)))
    # Of keys that tell each other the kind of a part leads, or else the first.
    kinds = [one.name.endswith(".name") for one in parameters]
    for i in sorted(range(len(parameters)), key=lambda i: (kinds[i], -i)):
        for j in order:
            if i == j or parameters[j].name in found or not _tells(codes[j], codes[i]):
                continue
            if _says_enough(parameters[j], parameters[i], codes[j]):
                found[parameters[i].name] = parameters[j].name
                break
    for key, leader in found.items():
        while leader in found:  # of leaders that follow, the first
            leader = found[leader]
        found[key] = leader
    return found


def _codes(parameter: Parameter) -> Codes:
    known = ~np.isnan(parameter.column)
    codes = np.full(parameter.column.shape, parameter.distinct.size, np.intp)
    codes[known] = np.searchsorted(parameter.distinct, parameter.column[known])
    return codes


def _tells(one: Codes, other: Codes) -> bool:
    table = np.zeros(int(one.max(initial=0)) + 1, np.intp)
    table[one] = other
    return bool((table[one] == other).all())


def _says_enough(one: Parameter, other: Parameter, codes: Codes) -> bool:
    """Whether it is more than chance that a key tells another one."""
    if one.kind == "category" and other.distinct.size == 1:
        return True
    if codes.size < ENOUGH or (one.missing and not other.missing):
        return False  # whether a key is there is told by another one, not the other way round
    alone = np.count_nonzero(np.bincount(codes) == 1)
    if alone <= codes.size * ALONE:
        return True
    if one.kind == other.kind == "number" and not one.missing and not other.missing:
        steps = np.diff(other.column[np.argsort(one.column, kind="stable")])
        return bool((steps >= 0).all() or (steps <= 0).all())
    return False
