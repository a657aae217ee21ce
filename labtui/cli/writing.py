"""Commands that write what people write or read: tag, rm, report."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labtui.cli.app import RunArgument, RunsArgument, YesOption, app, open_lab


@app.command()
def tag(
    run: RunArgument,
    tags: Annotated[list[str], typer.Argument(help="Tags to add; -TAG (after --) removes one.")],
) -> None:
    """Add tags to a run, or remove them: `labtui tag RUN good -- -bad`."""
    from labtui import notes

    found = open_lab().run(run)
    add = [t for t in tags if not t.startswith("-")]
    notes.tag(found.paths, add, [t.removeprefix("-") for t in tags if t.startswith("-")])


@app.command()
def rm(runs: RunsArgument, yes: YesOption = False) -> int:
    """Remove runs, with everything in them, or a whole sweep. Asks first."""
    from labtui.cli.sweeps import remove

    return remove(open_lab(), runs, yes)


class ReportFormat(StrEnum):
    """How a report is written."""

    md = "md"
    html = "html"
    latex = "latex"
    csv = "csv"


@app.command()
def report(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|SWEEP|RECIPE]...",
            help="A run, a sweep, or all runs of a recipe; several make one document, none: the whole lab.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The file (else report-<id>.md here); - prints it, without what would lie beside.",
        ),
    ] = None,
    format: Annotated[
        ReportFormat | None,
        typer.Option(
            "--format",
            help="md, with what belongs to it beside; html, one file with everything in it; latex, its tables for a "
            "paper; csv, a folder with a file a table (FILE.csv takes one). Absent: as FILE ends, else md.",
        ),
    ] = None,
    pictures: Annotated[bool, typer.Option(help="Charts as pictures, else as text.")] = True,
    svg: Annotated[bool, typer.Option("--svg", help="Pictures as SVG, not PNG.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also over a file that is no report, or was changed outside of notes."),
    ] = False,
    section: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only this one, such as results; an unknown one lists them. Repeatable."
        ),
    ] = None,
) -> None:
    """Write the report on a run, a sweep, all runs of a recipe, or several; without a name that on the whole lab:
    where we are, where we are going.

    What you write into it between `<!-- notes -->` and `<!-- /notes -->` (in LaTeX `% notes` and `% /notes`) stays when it is written again.
    """
    from labtui.report.subject import subject

    found = subject(open_lab(), *(runs or ()))
    if found.remark:
        print(found.remark, file=sys.stderr)
    if str(output) == "-":
        sys.stdout.write(found.printed(section or (), format, pictures, svg))
        return
    print(found.write(output, section or (), pictures, force, format, svg))
