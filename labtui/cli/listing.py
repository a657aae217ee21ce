"""Commands that look at runs: ls, show, logs, compare, export."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from labtui.cli.app import Format, FormatOption, RunArgument, app, open_lab, show, terminal_width
from labtui.errors import LabError

if TYPE_CHECKING:
    from labtui.query import Lab
    from labtui.query.lab import Run

_ON_TERMINAL = 50
_WIDE = 110
"""Cells of a terminal that has room for whole ids."""


@app.command()
def ls(
    filter: Annotated[str, typer.Option("--filter", help="E.g. 'state=finished and val.acc>0.9'.")] = "",
    sort: Annotated[str, typer.Option("--sort", help="A key; -KEY: the largest first.")] = "-created",
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, help="At most so many (terminal: 50; piped: all).")
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """List runs, newest first."""
    lab = open_lab()
    if limit is None and sys.stdout.isatty() and format is Format.table:
        limit = _ON_TERMINAL
    rows = [row.fields for row in lab.runs(filter, sort)]
    shown = rows if limit is None else rows[:limit]
    if format is Format.json:
        _json(shown)
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


def _json(value: Any) -> None:
    """JSON in one go: numbers that JSON has not (NaN, infinite) are null."""
    import orjson

    sys.stdout.flush()
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))


def _columns(rows: list[dict[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """What a listing shows: which run, where it stands, and its monitored figures."""
    from labtui.table import age, duration

    monitors = dict.fromkeys(_monitor(row) for row in rows)
    metrics = [m for m in monitors if m]
    tests = [f"test.{m.partition('.')[2]}" for m in metrics]
    metrics += [t for t in dict.fromkeys(tests) if any(t in row["metrics"] for row in rows)]
    now = time.time()
    lines = []
    for row in rows:
        figures = [row["metrics"].get(m, {}).get("at_best") for m in metrics]
        state = f"{row['state']}: {row['reason']}" if row["reason"] else row["state"]
        epoch = row["metrics"].get("epoch", {}).get("last")
        progress = None if epoch is None else int(epoch)
        ages = [duration(row["duration"]), age(now - row["created"])]
        lines.append([row["id"], row["name"], state, progress, *figures, *ages, " ".join(row["tags"])])
    return ["id", "name", "state", "epoch", *metrics, "duration", "age", "tags"], lines


def _monitor(row: dict[str, Any]) -> str:
    monitor = row["params"].get("validate.monitor", "")
    return monitor if isinstance(monitor, str) and monitor in row["metrics"] else ""


@app.command("show")
def show_run(run: RunArgument, format: FormatOption = Format.table) -> None:
    """Show one run: state, figures, options, notes."""
    found = open_lab().run(run)
    row = found.row.fields
    if format is Format.json:
        _json(row)
        return
    if format is not Format.table:
        show(["key", "value"], _pairs(found), format)
        return
    import shutil

    from labtui.cli.page import page

    colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print(page(found, shutil.get_terminal_size().columns, "256" if colored else "none"), end="")


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
    from labtui.run import ENDED
    from labtui.table import clean

    rest = b""
    while True:
        ended = not follow or run.status().state in (*ENDED, "lost", "idle")
        *lines, rest = (rest + file.read()).split(b"\n")
        for line in [*lines, rest] if ended and rest else lines:
            text = line.decode("utf-8", "replace")
            # On a terminal, what a log holds is text and no instruction; a progress bar its last state.
            print(clean(text.rstrip("\r").rpartition("\r")[2]) if sys.stdout.isatty() else text)
        sys.stdout.flush()
        if ended:
            return
        time.sleep(0.3)


@app.command()
def compare(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="RUN RUN...", help="Two runs or more, or a sweep.")
    ] = None,
    best_worst: Annotated[
        str, typer.Option("--best-worst", metavar="METRIC", help="Best against worst.")
    ] = "",
    filter: Annotated[str, typer.Option("--filter", help="Runs to choose from with --best-worst.")] = "",
    format: FormatOption = Format.table,
) -> None:
    """Show in which options and figures runs differ; the figures of one sweep with their mean."""
    lab = open_lab()
    if filter and not best_worst:
        raise LabError("compare: --filter chooses runs for --best-worst METRIC, which is missing")
    chosen = _best_and_worst(lab, best_worst, filter) if best_worst else []
    chosen += [run.row.fields for reference in runs or [] for run in lab.group(reference)]
    chosen = list({row["id"]: row for row in chosen}.values())
    if len(chosen) < 2:
        raise LabError("compare: give two different runs or more, a sweep, or --best-worst METRIC")
    from labtui.query.lab import differing

    lines: list[list[Any]] = [["state", *(row["state"] for row in chosen)]]
    lines += [[key, *(row["params"].get(key) for row in chosen)] for key in differing(chosen)]
    figures = list(_figures(chosen))
    columns = ["key", *(row["id"] for row in chosen)]
    if len({row["sweep"] for row in chosen}) == 1 and chosen[0]["sweep"]:
        columns += ["mean", "deviation"]
        lines = [[*line, None, None] for line in lines]
        figures = [[*line, *_spread(line[1:])] for line in figures]
    show(columns, lines + figures, format)


def _figures(rows: list[dict[str, Any]]) -> Iterator[list[Any]]:
    """Each metric at the best step, and where that is something else, its last value."""
    for name in dict.fromkeys(name for row in rows for name in row["metrics"]):
        entries = [row["metrics"].get(name, {}) for row in rows]
        at_best, last = ([entry.get(aspect) for entry in entries] for aspect in ("at_best", "last"))
        yield [name, *at_best]
        if last != at_best:
            yield [f"{name}.last", *last]


def _spread(figures: list[float | None]) -> tuple[float | None, float | None]:
    """Mean and standard deviation (of the runs, not of their population); None where one is missing."""
    from statistics import fmean, stdev

    known = [figure for figure in figures if figure is not None]
    if len(known) < max(2, len(figures)):
        return None, None
    return fmean(known), stdev(known)


def _best_and_worst(lab: Lab, metric: str, filter: str) -> list[dict[str, Any]]:
    rows = [row.fields for row in lab.runs(filter, sort=metric)]
    rows = [row for row in rows if row["metrics"].get(metric, {}).get("at_best") is not None]
    if len(rows) < 2:
        raise LabError(f"compare: fewer than two runs have a value of {metric!r}")
    goal = rows[0]["metrics"][metric]["goal"]
    if goal is None:
        raise LabError(
            f"compare: which way {metric!r} is better is not known; give it in the recipe's [goals]"
        )
    return [rows[-1], rows[0]] if goal == "max" else [rows[0], rows[-1]]


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
