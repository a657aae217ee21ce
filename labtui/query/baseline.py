"""The pinned baseline of a sweep: the group of runs that all others are compared with.

`runs/.labtui/sweeps/<id>/baseline.json` holds the ids of its runs, and the keys of their trainings: any of
either that is still there means the group, so that a run that was deleted and made again counts as before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from labtui.errors import LabError, RunNotFound
from labtui.files.atomic import read_json, write_json
from labtui.files.paths import LabPaths
from labtui.query.aggregate import Aggregate, Group, aggregate
from labtui.query.lab import named

Fields = dict[str, Any]


def pin(paths: LabPaths, rows: Sequence[Fields], run_id: str) -> Group:
    """Compare a sweep's groups with the one of this run from now on; that group.

    Args:
        rows: those of the sweep.

    Raises:
        LabError: it cannot be written.
    """
    group = aggregate(rows, baseline=[run_id]).baseline
    assert group is not None, "its run is one of the rows"
    file = paths.sweep(rows[0]["sweep"]).baseline
    record = {
        "format": 1,
        "pinned": time.time(),
        "title": group.label,
        "runs": [row["id"] for row in group.rows],
        "keys": [row["key"] for row in group.rows if row["key"]],
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_json(file, record)
    except OSError as error:
        raise LabError(f"{file}: cannot be written ({error.strerror}); check its rights") from None
    return group


def clear(paths: LabPaths, sweep: str) -> bool:
    """Compare with nothing any more; whether there was a baseline.

    Raises:
        LabError: it cannot be removed.
    """
    file = paths.sweep(sweep).baseline
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LabError(f"{file}: cannot be removed ({error.strerror}); check its rights") from None
    return True


def pinned(paths: LabPaths, sweep: str, rows: Sequence[Fields]) -> list[str]:
    """Ids of the baseline's runs that are still there; none where no baseline is pinned.

    Args:
        rows: those of the sweep.

    Raises:
        LabError: one is pinned, but all of its runs were deleted, or its file is broken.
    """
    file = paths.sweep(sweep).baseline
    if not file.exists():
        return []
    record = read_json(file) or {}
    runs, keys = (set(map(str, _list(record.get(name)))) for name in ("runs", "keys"))
    found = [row["id"] for row in rows if row["id"] in runs or (row["key"] and row["key"] in keys)]
    if not found:
        title = record.get("title")
        what = f"the runs of its baseline ({title}) were deleted" if runs else f"{file} is broken"
        again = f"make them again with `labtui resume {sweep}`, " if runs else ""
        raise LabError(
            f"sweep {sweep}: {what}; {again}pin another with "
            f"`labtui baseline {sweep} RUN`, or none with `labtui baseline {sweep} --clear`"
        )
    return [str(run_id) for run_id in found]


def beside_pinned(paths: LabPaths, known: Sequence[Fields], rows: Sequence[Fields], **how: Any) -> Aggregate:
    """Rows as groups, beside the pinned baseline if all are of one sweep that has one. What is wrong with
    the baseline is the table's `trouble`: it takes the differences away, not the table.

    Args:
        known: all rows of the lab.
        rows: those that are to be grouped.
        how: `keys`, `metrics` and `unfinished` of `aggregate`.
    """
    sweeps, ids, trouble = {row["sweep"] for row in rows}, set[str](), ""
    if len(sweeps) == 1 and (sweep := sweeps.pop()):
        try:
            ids = set(pinned(paths, sweep, [row for row in known if row["sweep"] == sweep]))
        except LabError as error:
            trouble = str(error)
    if ids and not any(row["id"] in ids for row in rows):
        ids, trouble = set(), "the pinned baseline is not among the chosen runs: nothing is compared with it"
    table = aggregate(rows, baseline=ids, **how)
    table.trouble = trouble
    return table


def of_sweep(rows: Sequence[Fields], reference: str) -> list[Fields]:
    """The rows of a sweep, named by its id or a part of it that no other has.

    Raises:
        RunNotFound: there is none, or more than one.
    """
    ids = list(dict.fromkeys(row["sweep"] for row in reversed(rows) if row["sweep"]))
    fit = named(ids, reference)
    if len(fit) == 1:
        return [row for row in rows if row["sweep"] == fit[0]]
    hint = (
        f"it fits {', '.join(fit[:8])}" if fit else f"the newest is {ids[0]}" if ids else "this lab has none"
    )
    raise RunNotFound(
        f"sweep {reference!r}: {'no sweep of that name' if not fit else 'give more of it'}; {hint}"
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
