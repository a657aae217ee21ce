"""Commands that look at runs: ls, show, logs, export."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from labtui.cli.app import (
    Format,
    FormatOption,
    RunArgument,
    app,
    open_lab,
    print_json,
    show,
    terminal_width,
)
from labtui.cli.grouping import (
    BaselineOption,
    GroupOption,
    MetricOption,
    Stat,
    StatOption,
    UnfinishedOption,
    given_keys,
    list_groups,
    separated,
)
from labtui.errors import LabError

if TYPE_CHECKING:
    from labtui.query.lab import Run

_ON_TERMINAL = 50
_WIDE = 110
"""Cells of a terminal that has room for whole ids."""


@app.command()
def ls(
    filter: Annotated[str, typer.Option("--filter", help="E.g. 'state=finished and val.acc>0.9'.")] = "",
    sort: Annotated[
        str, typer.Option("--sort", help="A key; -KEY: the largest first (runs: the newest first).")
    ] = "",
    group: GroupOption = None,
    metric: MetricOption = None,
    stat: StatOption = Stat.mean,
    baseline: BaselineOption = "",
    unfinished: UnfinishedOption = False,
    sweeps: Annotated[bool, typer.Option("--sweeps", help="Sweeps, each with what is done of it.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, help="At most so many (terminal: 50; piped: all).")
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """List runs, newest first; or groups of them, with means over folds and repeats; or sweeps."""
    lab = open_lab()
    if limit is None and sys.stdout.isatty() and format is Format.table:
        limit = _ON_TERMINAL
    if sweeps:
        if filter or sort or group or metric or baseline:
            raise LabError("ls: --sweeps lists all sweeps; filter and sort the runs of one with 'sweep=ID'")
        from labtui.cli.sweeps import list_sweeps

        list_sweeps(lab, limit, format)
        return
    if group:
        table = lab.aggregate(filter, given_keys(group), separated(metric or []), baseline, unfinished)
        list_groups(table, stat, sort, limit, format)
        return
    if metric or baseline or unfinished or stat is not Stat.mean:
        raise LabError("ls: --metric, --stat, --baseline and --unfinished are of groups; add --group auto")
    rows = [row.fields for row in lab.runs(filter, sort or "-created")]
    shown = rows if limit is None else rows[:limit]
    if format is Format.json:
        print_json(shown)
        return
    columns, lines = _columns(shown)
    if format is Format.table and (terminal_width() or _WIDE) < _WIDE:
        lines = [[line[0][-4:], *line[1:]] for line in lines]  # a part of the id is a reference too
    show(columns, lines, format, spare=("tags", "age", "duration", "epoch"))
    if format is Format.table:
        if not rows:
            hint = "no run fits" if filter else "no runs yet; `labtui run RECIPE` starts one"
            print(hint, file=sys.stderr)
        elif len(shown) < len(rows):
            print(f"… and {len(rows) - len(shown)} more (--limit)", file=sys.stderr)


def _columns(rows: list[dict[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """What a listing shows: which run, where it stands, and its monitored figures."""
    from labtui.query.aggregate import figures
    from labtui.table import age, duration

    metrics = figures(rows)
    now = time.time()
    lines = []
    for row in rows:
        values = [row["metrics"].get(m, {}).get("at_best") for m in metrics]
        state = f"{row['state']}: {row['reason']}" if row["reason"] else row["state"]
        epoch = row["metrics"].get("epoch", {}).get("last")
        progress = None if epoch is None else int(epoch)
        ages = [duration(row["duration"]), age(now - row["created"])]
        lines.append([row["id"], row["name"], state, progress, *values, *ages, " ".join(row["tags"])])
    return ["id", "name", "state", "epoch", *metrics, "duration", "age", "tags"], lines


@app.command("show")
def show_run(
    run: Annotated[str, typer.Argument(metavar="RUN|SWEEP", help="A run, or the id of a sweep.")],
    format: FormatOption = Format.table,
) -> int:
    """Show one run: state, figures, options, notes; or a sweep, cell by cell."""
    lab = open_lab()
    if sweep := lab.sweep(run):
        from labtui.cli.sweeps import show_sweep

        return show_sweep(lab, sweep, format)
    found = lab.run(run)
    row = found.row.fields
    if format is Format.json:
        print_json(row)
        return 0
    if format is not Format.table:
        show(["key", "value"], _pairs(found), format)
        return 0
    import shutil

    from labtui.cli.page import page

    colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print(page(found, shutil.get_terminal_size().columns, "256" if colored else "none"), end="")
    return 0


def _pairs(run: Run) -> list[list[Any]]:
    row = run.row.fields
    metrics = [[f"{n}.{k}", v] for n, entry in row["metrics"].items() for k, v in entry.items()]
    params = [[key, value] for key, value in row["params"].items()]
    facts = [[f"facts.{key}", value] for key, value in row["facts"].items()]
    plain = [[k, v] for k, v in row.items() if k not in ("metrics", "params", "facts")]
    return plain + facts + metrics + params


@app.command()
def logs(
    run: RunArgument,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the run ends.")] = False,
) -> None:
    """Print a run's output."""
    found = open_lab().run(run)
    while follow and not found.paths.log.exists() and found.status().state in ("queued", "running"):
        time.sleep(0.3)
    try:
        with open(found.paths.log, "rb") as file:
            _copy(found, file, follow)
    except FileNotFoundError:
        raise LabError(f"{found.id}: has no output yet (it is {found.row.state})") from None


def _copy(run: Run, file: BinaryIO, follow: bool) -> None:
    """Print a log line by line; with `follow` until the run has ended."""
    from labtui.logfile import shown
    from labtui.run import ENDED

    rest = b""
    while True:
        ended = not follow or run.status().state in (*ENDED, "lost", "idle")
        *lines, rest = (rest + file.read()).split(b"\n")
        for line in [*lines, rest] if ended and rest else lines:
            # On a terminal, what a log holds is text and no instruction; a progress bar its last state.
            print(shown(line) if sys.stdout.isatty() else line.decode("utf-8", "replace"))
        sys.stdout.flush()
        if ended:
            return
        time.sleep(0.3)


@app.command()
def export(
    run: RunArgument,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file (else stdout).")] = None,
) -> None:
    """Write a run's metrics as CSV: metric, step, time, value."""
    import csv
    import io

    from labtui.files.atomic import write_atomic

    found = open_lab().run(run)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["metric", "step", "time", "value"])
    for name, (steps, times, values) in found.all_series().items():
        rows = zip(steps.tolist(), times.tolist(), values.tolist(), strict=True)
        writer.writerows([name, step, repr(when), repr(value)] for step, when, value in rows)
    if output is None:
        sys.stdout.write(text.getvalue())
        return
    try:
        write_atomic(output, text.getvalue().encode())
    except OSError as error:
        raise LabError(f"{output}: cannot be written ({error.strerror}); give another -o") from None
