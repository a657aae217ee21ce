"""labtui gc: what can be freed, and freeing it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtui.cli.app import Format, FormatOption, YesOption, app, confirm, open_lab, say, show
from labtui.errors import FilterError, RunNotFound

if TYPE_CHECKING:
    from labtui.launch.freeing import Garbage
    from labtui.query import Lab

_ON_TERMINAL = 50


@app.command()
def gc(
    all: Annotated[bool, typer.Option("--all", help="The best.pt of surpassed runs too.")] = False,
    resumable: Annotated[
        bool, typer.Option("--resumable", help="Also what runs that ended early would go on from.")
    ] = False,
    yes: YesOption = False,
    format: FormatOption = Format.table,
) -> int:
    """List what can be freed, the largest first, and free it after asking.

    That is what killed processes left half done, decoded data that was not used for 30 days, and the
    checkpoints of runs that are not the best of their recipe or sweep, but for best.pt and for what a run
    that ended early goes on from.
    """
    from labtui.launch import freeing

    lab = open_lab()
    rows = [row.fields for row in lab.runs(sort="created")]
    spared = needed(lab, rows)
    candidates = [run_id for run_id in surpassed(rows) if run_id not in spared]
    found = [*freeing.leftovers(lab.paths), *freeing.caches(lab.paths)]
    found += freeing.checkpoints(lab.paths, candidates)
    chosen = sorted((one for one in found if _wanted(one, all, resumable)), key=lambda one: -one.size)
    _list(lab, chosen, format)
    for flag, wider in (("all", (True, resumable)), ("resumable", (all, True))):
        more = [one for one in found if _wanted(one, *wider) and not _wanted(one, all, resumable)]
        if more:
            say(f"{_amount(more)} more with --{flag}")
    if not chosen:
        say("nothing to free")
    elif not yes and not (sys.stdin.isatty() and format is Format.table):
        say(f"{_amount(chosen)} can be freed: --yes does it")
    elif confirm(f"Free {_amount(chosen)} for good?", yes):
        from labtui.table import size

        say(f"freed {size(sum(freeing.free(lab.paths, one) for one in chosen))}")
    else:
        say("nothing was freed")
    return 0


def _wanted(one: Garbage, all: bool, resumable: bool) -> bool:
    """Whether it goes; without its best weights a run that is resumed could not be scored."""
    goes_on = one.kind == "resumable" or (one.kind == "best" and one.state != "finished")
    return (all or one.kind != "best") and (resumable or not goes_on)


def _list(lab: Lab, chosen: Sequence[Garbage], format: Format) -> None:
    from labtui.table import size

    table = format is Format.table
    shown = chosen[:_ON_TERMINAL] if table and sys.stdout.isatty() else chosen
    rows: list[list[Any]] = []
    for one in shown:
        # A leftover of the lab has no run; its own name says what it was to be.
        names = [_name(lab, one, path) for path in one.paths]
        amount: Any = size(one.size) if table else one.size
        rows.append([amount, one.run, one.state, one.kind, _few(names) if table else names])
    if rows or not table:
        show(["size", "run", "state", "kind", "files"], rows, format, spare=("state",))
    if len(shown) < len(chosen):
        say(f"… and {len(chosen) - len(shown)} more")


def _name(lab: Lab, one: Garbage, path: Path) -> str:
    root = lab.paths.run(one.run).root if one.run else lab.paths.runs
    return str(path.relative_to(root))


def _few(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)})"


def _amount(found: Sequence[Garbage]) -> str:
    from labtui.table import size

    files = sum(len(one.paths) for one in found)
    return f"{size(sum(one.size for one in found))} ({files} file{'s' if files > 1 else ''})"


def surpassed(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Ids of ended runs that are not the best of their recipe, or of their sweep.

    Runs of one name and sweep with the same monitored metric are compared by its best value. The best
    one is spared, and the best finished one; of equal ones the oldest. Where no run has a value nothing
    can be said, and none is surpassed.

    Args:
        rows: of all runs, oldest first.
    """
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["state"] in ("finished", "failed", "stopped", "preempted", "lost"):
            monitor = row["params"].get("validate.monitor")
            groups.setdefault((row["name"], row["sweep"], str(monitor)), []).append(row)
    found: list[str] = []
    for (_, _, monitor), group in groups.items():
        best = {_best(group, monitor), _best([r for r in group if r["state"] == "finished"], monitor)}
        if best != {None}:
            found += [row["id"] for row in group if row["id"] not in best]
    return found


def _best(rows: Iterable[Mapping[str, Any]], monitor: str) -> str | None:
    values = []
    for row in rows:
        entry = row["metrics"].get(monitor, {})
        value, goal = entry.get("at_best"), entry.get("goal")
        if value is not None and value == value and goal:
            values.append((value if goal == "min" else -value, row["id"]))
    return min(values)[1] if values else None


def needed(lab: Lab, rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Ids of runs that a run at work or in the queue names, such as those whose weights it starts from."""
    from labtui.files import rundir

    known, named = set(), set[str]()
    for row in rows:
        known.add(row["id"])
        if row["state"] in ("queued", "running"):
            given = rundir.claimed(lab.paths.run(row["id"]), row["attempt"])[0].get("references")
            named.update(_texts(row["params"]), _texts(given))
    for reference in {name for name in named if name.startswith("@")}:
        with suppress(RunNotFound, FilterError):
            named.add(lab.run(reference).id)
    return known & named


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)
