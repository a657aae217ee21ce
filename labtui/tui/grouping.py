"""Groups of runs as the table shows them: one line a group, with means and deviations. The feed makes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labtui.tui.columns import bare

if TYPE_CHECKING:
    from labtui.query.aggregate import Aggregate, Group

Fields = Mapping[str, Any]

_PLACES = ("validate.", "train.seed", "params.seed", "params.fold")
"""Options by which runs of two groups are paired."""
SIGN = "/"
"""What names of groups begin with, as no run id does."""


@dataclass(frozen=True)
class GroupLine:
    """What is shown of a group.

    Args:
        label: what its runs share.
        runs: its members' ids, newest first.
        states: state to number.
        texts: column to a mean with its deviation, or to what all members share.
        differences: column to the difference to the baseline's group, and the style of that.
        ranks: column to what the group is sorted by.
    """

    label: str
    runs: tuple[str, ...]
    states: Mapping[str, int]
    texts: Mapping[str, str]
    differences: Mapping[str, tuple[str, str]]
    ranks: Mapping[str, Any]


def group_lines(
    rows: Sequence[Fields], keys: Sequence[str], columns: Sequence[str], baseline: str
) -> dict[str, GroupLine]:
    """The groups of some runs, by name, as `labtui.query.aggregate` has them.

    Args:
        keys: by which they are grouped.
        columns: that are shown; of metrics and durations means are taken.
        baseline: id of the run whose group the others are compared with; empty, or not among the rows: none.

    Raises:
        FilterError: no run has such a key.
    """
    from labtui.query.aggregate import aggregate

    rows = [_slim(row, keys, columns) for row in rows]
    metrics = _metrics_of(rows)
    monitored = {metric for row in rows if (metric := row["params"].get("validate.monitor")) in metrics}
    figures = [key for key in columns if _figure(key, metrics)]
    if "value" in columns:
        figures += sorted(monitored - set(figures))
    pinned = [baseline] if any(row["id"] == baseline for row in rows) else []
    table = aggregate(rows, keys, figures or ["duration"], pinned)
    return {SIGN + repr(tuple(group.values.values())): _line(group, columns, table) for group in table.groups}


def _slim(row: Fields, keys: Sequence[str], columns: Sequence[str]) -> Fields:
    """A row with no more than groups are made of, so that thousands of them take little memory."""
    row = bare(row)
    named = {*keys, *columns, *(f"params.{key}" for key in (*keys, *columns))}
    params = {key: value for key, value in row["params"].items() if key in named or key.startswith(_PLACES)}
    names = {*columns, *(key.rpartition(".")[0] for key in columns), *keys}
    names |= {row["params"].get("validate.monitor"), *(key.rpartition(".")[0] for key in keys)}
    metrics = {name: entry for name, entry in row["metrics"].items() if name in names}
    return {**row, "params": params, "metrics": metrics}


def _metrics_of(rows: Sequence[Fields]) -> Collection[str]:
    found: dict[str, Any] = {}
    for row in rows:
        found |= row["metrics"]
    return found.keys()


def _figure(key: str, metrics: Collection[str]) -> bool:
    return key == "duration" or key in metrics or key.rpartition(".")[0] in metrics


def _line(group: Group, columns: Sequence[str], table: Aggregate) -> GroupLine:
    """One group."""
    from labtui.grouped import spread_text
    from labtui.query.rows import look_up
    from labtui.table import cell, duration

    monitors = {row["params"].get("validate.monitor") for row in group.rows}
    monitor = monitors.pop() if len(monitors) == 1 else None
    newest = max(group.rows, key=lambda row: str(row["id"]))
    texts: dict[str, str] = {}
    differences: dict[str, tuple[str, str]] = {}
    ranks: dict[str, Any] = {"created": newest["created"], "name": group.label, "state": len(group.rows)}
    for column in columns:
        key = monitor if column == "value" else column
        if found := group.spreads.get(str(key)):
            ranks[column] = found.mean
            texts[column] = spread_text(found, len(group.rows)) if found.n or found.nan else ""
            if column == "duration":
                texts[column] = "" if found.mean is None else duration(found.mean)
            if change := group.differences.get(str(key)):
                differences[column] = _told(change)
        elif column == "id":
            texts[column] = str(newest["id"])[-4:] if len(group.rows) == 1 else ""
        elif column == "metric":
            texts[column] = ranks[column] = str(monitor or "")
        else:
            values = {repr(look_up(row, column)) for row in group.rows}
            shared = look_up(newest, column) if len(values) == 1 else None
            texts[column], ranks[column] = "" if shared is None else cell(shared), shared
    runs = tuple(sorted((str(row["id"]) for row in group.rows), reverse=True))
    return GroupLine(label(group, table), runs, group.states, texts, differences, ranks)


def label(group: Group, table: Aggregate) -> str:
    """What a group's runs share: of one key its value, of several `key=value` each."""
    if len(table.keys) == 1:
        from labtui.table import cell

        key = table.keys[0]
        value = group.values[key]
        if key == "sweep" and value:
            return f"{group.rows[0]['name']} · {str(value)[-4:]}"  # the end of an id is a reference, too
        return cell(value) if value not in (None, "") else f"no {key}"
    return group.label


def _told(change: Any) -> tuple[str, str]:
    """A difference with its style: better, worse, or not known to be either."""
    from labtui.table import number

    if change.difference is None:
        return "", "dim"
    style = {"better": "good", "worse": "bad"}.get(change.word, "dim")
    return f"{'+' if change.difference > 0 else ''}{number(change.difference, 2)}", style
