"""Confusion matrices as runs keep them, and what follows from one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

NO_CLASSES = {
    "reconstruction": "restores what it sees",
    "masked_mse": "restores what was hidden",
    "batch_hard_triplet": "places samples in an embedding",
}
"""Losses whose models predict no class, and what they do instead."""
BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
"""What reading an artifact that anybody may have written can raise."""


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix.

    Args:
        split: "test" or "val"; empty: the program did not say.
        names: of the classes.
        matrix: counts, (classes, classes), truth in rows, prediction in columns; None: not kept, as where
            samples have several labels.
        classes: one table a class as it was kept: `class`, `samples`, `recall`, `precision`, `f1`; or empty.
        step: the weights are those of this step; None: not known.
        epoch: likewise.
    """

    split: str
    names: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...] | None
    classes: tuple[dict[str, Any], ...] = ()
    step: int | None = None
    epoch: float | None = None

    @cached_property
    def mistakes(self) -> list[tuple[int, int, int]]:
        """(samples, truth, prediction) by the numbers of the classes, the commonest first."""
        found = [
            (count, truth, said)
            for truth, row in enumerate(self.matrix or ())
            for said, count in enumerate(row)
            if count and truth != said
        ]
        return sorted(found, key=lambda mistake: -mistake[0])

    @property
    def per_class(self) -> list[dict[str, Any]]:
        """One table a class, as it was kept or else from the matrix; None where nothing can be said: the class
        was never there, or never predicted."""
        if self.classes or not self.matrix:
            return list(self.classes)
        columns = [sum(column) for column in zip(*self.matrix, strict=True)]
        rows = []
        for place, (name, row, said) in enumerate(zip(self.names, self.matrix, columns, strict=True)):
            right, there = row[place], sum(row)
            rows.append(
                {
                    "class": name,
                    "samples": there,
                    "recall": right / there if there else None,
                    "precision": right / said if said else None,
                    "f1": 2 * right / (there + said) if there + said else None,
                }
            )
        return rows


def confusions(found: Any) -> list[Confusion]:
    """The matrices of an artifact, that of the test split first.

    Args:
        found: as the engine keeps it, `{"classes", "step", "test": {"matrix", "per_class"}, "val": …}`; or a
            program's own: the matrix alone, or with the names of its classes as `{"matrix", "classes"}`.

    Raises:
        ValueError: the matrix is no square of counts, or there are other names than classes.
        KeyError, TypeError, AttributeError, IndexError, OverflowError: it has another form.
    """
    if found is None:
        raise ValueError("there is no matrix")
    if not isinstance(found, Mapping):
        found = {"matrix": found}
    if "matrix" in found:
        return [_confusion("", found, found.get("classes"))]
    if not (splits := [split for split in ("test", "val") if split in found]):
        raise ValueError("there is no matrix, and neither `test` nor `val`")
    where: dict[str, Any] = {"step": int(found["step"]), "epoch": found.get("epoch")}
    return [_confusion(split, found[split], found.get("classes", []), **where) for split in splits]


def _confusion(split: str, part: Any, names: Any, **where: Any) -> Confusion:
    if not isinstance(part, Mapping):
        raise TypeError(f"`{split}` is no table")
    matrix = part.get("matrix")
    classes = tuple(dict(row) for row in part.get("per_class") or ())
    if matrix is None:
        return Confusion(split, tuple(map(str, names or ())), None, classes, **where)
    rows = tuple(tuple(int(count) for count in row) for row in matrix)
    wrong = next((n for n, row in enumerate(rows) if len(row) != len(rows)), None)
    if wrong is not None:
        raise ValueError(
            f"the matrix is not square: row {wrong} of {len(rows)} has {len(rows[wrong])} columns"
        )
    if any(count < 0 for row in rows for count in row):
        raise ValueError("a count in the matrix is negative")
    return Confusion(split, _names(names, len(rows)), rows, classes, **where)


def _names(names: Sequence[Any] | None, count: int) -> tuple[str, ...]:
    if names is None or len(names) == 0:
        return tuple(str(number) for number in range(count))
    if len(names) != count:
        raise ValueError(f"there are {len(names)} names for {count} classes")
    return tuple(str(name) for name in names)
