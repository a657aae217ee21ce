"""What a column of the runs table is about: how its values are read from a row of the index.

A column is named by a key of the query language (`optimizer.lr`, `val.acc.best`, `duration`), or it is one of
`SPECIAL`: an option of that name is `params.age`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from labtui.files.packed import Packed
from labtui.query.rows import ASPECTS, FIELDS, look_up

Fields = Mapping[str, Any]
Read = Callable[[Fields], Any]

SPECIAL = {
    "metric": "the monitored metric's name",
    "value": "the monitored metric at its best",
    "spark": "the monitored metric in small",
    "progress": "epochs done, of how many",
    "age": "how long ago it was made",
}
"""Columns that are no key, and what they show."""

DEFAULT = (
    "state", "name", "tags", "recipe", "train.loss.last", "metric", "value", "spark", "progress", "duration",
    "age", "id",
)  # fmt: skip
"""Of a lab in which nobody chose others."""

ALWAYS = ("name", "state", "reason", "recipe", "created", "label", "sweep")
"""Values that are known of all runs, whatever is shown: those that cost nothing to read."""

SOUGHT = "?"
"""Before a key: its value as the query language has it, which of some columns is another."""

WORDS = SOUGHT
"""A value on its own: all that a word is looked for in, one below the other, case folded."""

_NEEDED = {
    "state": ("state", "reason"), "name": ("label",), "spark": ("metric",),
    "value": ("value", "metric", "goal", "@value"), "progress": ("progress", "train.epochs"), "age": ("created",),
    "id": (), "duration": ("duration", "started"),
}  # fmt: skip
_NONE: dict[str, Any] = {"at_best": None, "last": None, "goal": None}


def needed(key: str) -> tuple[str, ...]:
    """The values that a column shows: its own, and for a metric the epoch of it."""
    return _NEEDED.get(key) or ((key,) if key in FIELDS else (key, f"@{key}"))


def sorted_by(key: str) -> str:
    """The value that a column is sorted by."""
    return {"age": "created", "spark": "value"}.get(key, key)


@cache
def reader(key: str) -> Read:
    """How a value is read from a row."""
    if key.startswith("@"):
        return lambda row: _epoch(row, key[1:])
    if key == WORDS:
        return _words
    if key.startswith(SOUGHT):
        return lambda row: look_up(row, key[1:])
    if key in _READ:
        return _READ[key]
    if key in FIELDS:
        return lambda row: row.get(key)
    return lambda row: look_up(row, key)


def bare(row: Fields) -> Fields:
    """A row whose options and figures are there to be read once, and are not kept: for who goes through
    ten thousand of them."""
    packed = {key: row[key] for key in ("params", "metrics")}
    return {
        **row,
        **{key: part.unpacked() if isinstance(part, Packed) else part for key, part in packed.items()},
    }


def plain(key: str) -> bool:
    """Whether a value is there without reading options and figures."""
    return key in ALWAYS or key == WORDS or key.removeprefix(SOUGHT) in FIELDS


def _monitored(row: Fields) -> str:
    """The metric that a run is judged by: the monitored one, or else one that was logged of validation, or
    any that is not of training; where none is monitored, any at all."""
    metric, metrics = str(row["params"].get("validate.monitor", "")), row["metrics"]
    if metric in metrics:
        return metric
    known = [m for m in metrics if m != "epoch" and not m.startswith("sys.")]
    known = [m for m in known if not m.startswith("train.")] or ([] if metric else known)
    return next((m for m in known if m.startswith("val.")), known[0] if known else metric)


def _label(row: Fields) -> str:
    """What tells a run from others: of a sweep's its cell's title, its repeat and fold, before its name."""
    place = [row.get("title") or ""]
    place += [
        f"{sign}{row[name]}" for name, sign in (("repeat", "r"), ("fold", "f")) if row.get(name) is not None
    ]
    own = " ".join(filter(None, place))
    return f"{own} · {row['name']}" if own else str(row["name"])


def _words(row: Fields) -> str:
    """What a run is called, in all ways, and how it stands."""
    called = [row["name"], " ".join(row["tags"]), row["id"], row["state"], row.get("title") or ""]
    return "\n".join(map(str, called)).casefold()


def _duration(row: Fields) -> float | None:
    """Seconds; of a run that goes on in whole minutes, so that it does not differ at every look."""
    found = row.get("duration")
    if isinstance(found, int | float):
        return found // 60 * 60 if row["state"] == "running" else found
    return None


def _epoch(row: Fields, key: str) -> float | None:
    """The epoch (from 1 on) at which a figure was reached; None where it is not known."""
    metrics = row["metrics"]
    name, _, aspect = key.rpartition(".")
    if key == "value" or key in metrics:
        name, aspect = key, "at_best"
    elif aspect not in ASPECTS or name not in metrics:
        return None
    if aspect in ("at_best", "last"):
        found = metrics.get("epoch", _NONE)[aspect]
        return found if isinstance(found, int | float) else None
    entry = metrics[name]
    steps = row["facts"].get("steps_per_epoch")
    if aspect == "best_step" or entry[aspect] != entry["best"] or entry["best_step"] is None:
        return None
    return entry["best_step"] / steps if isinstance(steps, int | float) and steps > 0 else None


_READ: dict[str, Read] = {
    "tags": lambda row: " ".join(row["tags"]),
    "metric": _monitored,
    "duration": _duration,
    "label": _label,
    "value": lambda row: row["metrics"].get(_monitored(row), _NONE)["at_best"],
    "goal": lambda row: row["metrics"].get(_monitored(row), _NONE).get("goal"),
    "progress": lambda row: row["metrics"].get("epoch", _NONE)["last"],
}
