"""Commands that compare: compare, baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtui.cli.app import Format, FormatOption, app, open_lab, say, show
from labtui.cli.grouping import Stat, list_groups
from labtui.errors import LabError

if TYPE_CHECKING:
    from labtui.query import Lab


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
    """Show in which options and figures runs differ; of a sweep, its cells beside the baseline, or the
    folds and repeats of one cell with their mean. Early stopping beside last epoch."""
    from labtui.query.aggregate import hyperparameters, protocols
    from labtui.query.baseline import beside_pinned

    lab = open_lab()
    if filter and not best_worst:
        raise LabError("compare: --filter chooses runs for --best-worst METRIC, which is missing")
    chosen = _best_and_worst(lab, best_worst, filter) if best_worst else []
    chosen += [run.row.fields for reference in runs or [] for run in lab.group(reference)]
    chosen = list({row["id"]: row for row in chosen}.values())
    if len(chosen) < 2:
        raise LabError("compare: give two different runs or more, a sweep, or --best-worst METRIC")
    whole = bool(runs) and all(map(lab.sweep, runs or []))
    if whole and not best_worst and hyperparameters(chosen):
        table = beside_pinned(lab.paths, lab.index.rows, chosen, metrics=protocols(chosen))
        list_groups(table, Stat.mean, format=format)
    else:
        _run_by_run(chosen, format, one_cell=not hyperparameters(chosen))


def _run_by_run(chosen: list[dict[str, Any]], format: Format, one_cell: bool) -> None:
    """One column a run; of one cell's folds and repeats, their mean and deviation too."""
    from labtui.query.compare import figures_of, options
    from labtui.query.spread import spread_of

    lines: list[list[Any]] = [["state", *(row["state"] for row in chosen)]]
    lines += [[key, *values] for key, values in options(chosen)]
    figures: list[list[Any]] = [[figure.key, *figure.values] for figure in figures_of(chosen)]
    columns = ["key", *(row["id"] for row in chosen)]
    if one_cell:
        columns += ["mean", "deviation", "n"]
        lines = [[*line, None, None, None] for line in lines]
        figures = [[*line, *spread_of(chosen, line[0])[:3]] for line in figures]
    show(columns, lines + figures, format)


def _best_and_worst(lab: Lab, metric: str, filter: str) -> list[dict[str, Any]]:
    """Both, the best first."""
    from labtui.query.compare import best_and_worst

    return [dict(row) for row in best_and_worst([row.fields for row in lab.runs(filter)], metric)]


@app.command()
def baseline(
    sweep: Annotated[str, typer.Argument(metavar="SWEEP", help="The sweep's id, or a part of it.")],
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run of the cell to pin; absent: show it.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Compare with nothing any more.")] = False,
) -> None:
    """Pin the cell that a sweep's others are compared with, with all its folds and repeats."""
    from labtui.query import baseline as pins
    from labtui.query.aggregate import aggregate
    from labtui.query.lab import resolve
    from labtui.table import clean

    if clear and run:
        raise LabError("baseline: give a RUN to pin, or --clear, not both")
    lab = open_lab()
    lab.index.refresh()
    if clear and pins.clear(lab.paths, sweep):  # also of a sweep whose runs are all gone
        say("the baseline was removed")
        return
    rows = pins.of_sweep(lab.index.rows, sweep)
    name = str(rows[0]["sweep"])
    if clear:
        say("the baseline was removed" if pins.clear(lab.paths, name) else "there was no baseline")
        return
    if run:
        group = pins.pin(lab.paths, rows, resolve(rows, run)["id"])
    elif ids := pins.pinned(lab.paths, name, rows):
        group = next(g for g in aggregate(rows, baseline=ids).groups if g.baseline)
    else:
        raise LabError(f"sweep {name}: no baseline is pinned; `labtui baseline {name} RUN` does it")
    print(clean(group.label or "all runs of the sweep"))
    for row in group.rows:
        print(f"{row['id']}  {row['state']}")
