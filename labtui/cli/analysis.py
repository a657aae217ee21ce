"""The analysis of a sweep, or of any runs: what made them good."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labtui.cli.app import Format, FormatOption, app, open_lab, print_json, say, show
from labtui.cli.grouping import separated
from labtui.errors import LabError

if TYPE_CHECKING:
    from labtui.analysed import Table
    from labtui.query import Lab
    from labtui.query.analysis import Analysis


class Plot(StrEnum):
    """What is drawn."""

    importance = "importance"
    parallel = "parallel"
    slice = "slice"
    heat = "heat"
    correlation = "correlation"


@app.command()
def analysis(
    sweep: Annotated[
        str, typer.Argument(metavar="[SWEEP]", help="The sweep's id, or a part of it; absent: all runs.")
    ] = "",
    filter: Annotated[str, typer.Option("--filter", help="Only runs that fit, e.g. 'name~grid'.")] = "",
    metric: Annotated[
        str,
        typer.Option(
            "--metric", metavar="KEY", help="The figure: val.acc, test.acc.last (else the monitored)."
        ),
    ] = "",
    plot: Annotated[Plot | None, typer.Option("--plot", help="Draw it.")] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option("--keys", metavar="KEY", help="Keys to look at (with commas); a heat map has two."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The plot as a picture: FILE.png or .svg.")
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """Which options matter: importance, correlation, best and worst values; or one of these as a plot."""
    from labtui.query.analysis import analyse, logarithmic

    if output is not None:
        _check_picture(output, plot)
    chosen = separated(keys or [])
    lab = open_lab()
    rows = _rows(lab, sweep, filter)
    found = analyse(rows, metric, chosen, logarithmic(lab.paths, rows))
    if plot is None:
        _tell(found, format)
    elif output is not None:
        _save(found, plot, chosen, output)
    elif format is not Format.table:
        _data(found, plot, chosen, format)
    else:
        _draw(found, plot, chosen)


def _rows(lab: Lab, sweep: str, filter: str) -> list[dict[str, Any]]:
    from labtui.query.baseline import of_sweep
    from labtui.query.lab import select

    lab.index.refresh()
    return select(of_sweep(lab.index.rows, sweep) if sweep else lab.index.rows, filter)


def _check_picture(output: Path, plot: Plot | None) -> None:
    if plot is None:
        raise LabError(f"analysis: -o is for a picture; say which with --plot {'|'.join(Plot)}")
    if output.suffix.lower() not in (".png", ".svg"):
        raise LabError(f"{output}: a picture is a .png or an .svg file")


def _tell(found: Analysis, format: Format) -> None:
    """The table of keys, then what there is to say in words."""
    from labtui.analysed import Findings, caption, in_numbers, in_words, record
    from labtui.table import clean

    findings = Findings.of(found)
    if format is Format.json:
        print_json(record(findings))
    elif format is Format.csv:
        show(*in_numbers(findings), format)
    else:
        show(*in_words(findings), format, spare=("p",))
        print()
        if format is Format.md:
            from labtui.report.text import prose

            print("\n\n".join(map(prose, caption(findings))))
        else:
            print("\n".join(map(clean, caption(findings))))


def _data(found: Analysis, plot: Plot, keys: Sequence[str], format: Format) -> None:
    """What a plot shows, as a table; the points of slices as JSON."""
    if plot is Plot.slice and format is Format.json:
        from labtui.analysed import slice_points

        print_json(slice_points(found, keys))
        return
    show(*_table(found, plot, keys), format)


def _table(found: Analysis, plot: Plot, keys: Sequence[str]) -> Table:
    from labtui import analysed

    if plot is Plot.importance:
        from labtui.query.importance import importance

        return analysed.importance_table(importance(found))
    if plot is Plot.correlation:
        return analysed.correlation_table(found)
    if plot is Plot.slice:
        return analysed.slice_table(found, keys)
    if plot is Plot.heat:
        from labtui.plots import pair

        return analysed.heat_table(found, *pair(found, keys))
    return analysed.parallel_table(found)


def _draw(found: Analysis, plot: Plot, keys: Sequence[str]) -> None:
    """The plot in the terminal; elsewhere in 80 columns without colours."""
    from labtui import analysed
    from labtui.plots import Look, drawing
    from labtui.rows import painted

    columns, lines = shutil.get_terminal_size()
    color = "256" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else "none"
    look = Look(columns, color != "none", os.environ.get("TERM") in ("dumb", "linux"))
    rows, remark = drawing(found, plot.value, look, max(lines - 3, 8), keys)
    if remark:
        say(remark)
    print("\n".join(painted(rows, "256" if look.colored else "none")))
    sys.stdout.flush()
    said = [analysed.basis(found), *analysed.following(found)]
    say("\n".join(said))


def _save(found: Analysis, plot: Plot, keys: Sequence[str], output: Path) -> None:
    from labtui.files.atomic import write_atomic
    from labtui.plots import pair
    from labtui.report import drawing

    chosen = pair(found, keys) if plot is Plot.heat else keys
    content = drawing.picture(found, plot.value, chosen, output.suffix.lower().removeprefix("."))
    try:
        write_atomic(output, content)
    except OSError as error:
        raise LabError(f"{output}: cannot be written ({error.strerror}); give another -o") from None
    for name, stand_in in drawing.fonts_of(found).replaced.items():
        say(f"in the picture {stand_in} is {name}: no font here has its letters")
    print(output)
