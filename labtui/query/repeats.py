"""The trainings of one configuration, repeat by repeat: a repeat is one training, or the folds of one round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from labtui.query.aggregate import FOLDS, SEEDS

Fields = Mapping[str, Any]


class Repeat(NamedTuple):
    """One training of a configuration, or one of each fold."""

    number: int
    """From 0, over all launches of the configuration."""
    rows: list[Fields]
    """By fold."""


def repeats(rows: Iterable[Fields]) -> list[Repeat]:
    """Runs of one configuration put together by launch (the sweep; single runs are one), repeat and seed; a
    fold that such a round has already begins another."""
    rounds: dict[tuple[Any, ...], list[Fields]] = {}
    for row in rows:
        place = (row["sweep"], row.get("repeat"), repr([row["params"].get(key) for key in SEEDS]))
        turn = 0
        while any(fold_of(other) == fold_of(row) for other in rounds.get((*place, turn), ())):
            turn += 1
        rounds.setdefault((*place, turn), []).append(row)
    return [Repeat(number, _by_fold(own)) for number, own in enumerate(rounds.values())]


def _by_fold(rows: Sequence[Fields]) -> list[Fields]:
    return sorted(rows, key=lambda row: (fold_of(row) is None, str(fold_of(row)).zfill(9)))


def fold_of(row: Fields) -> Any:
    """Which fold a run holds out, from 0; None where it has none."""
    known = (row.get("fold"), *map(row["params"].get, FOLDS))
    return next((fold for fold in known if fold is not None), None)


def folded(rows: Sequence[Fields]) -> bool:
    """Whether runs of one configuration differ in their folds."""
    return len({repr(fold_of(row)) for row in rows}) > 1
