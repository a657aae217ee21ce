"""The typer application: global options, and what every command shares."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from labtui.query import Lab

app = typer.Typer(
    help="A terminal experiment manager: recipes in, runs, live charts and reports out.",
    epilog="RUN is an id, a unique prefix or part of it, @last or @best:METRIC.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """How a listing is printed."""

    table = "table"
    json = "json"
    csv = "csv"
    md = "md"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print it.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Id, prefix, part, @last, @best:METRIC.")]
RunsArgument = Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs, or the id of a sweep.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_chosen: dict[str, Path | None] = {"lab": None}


def _version(wanted: bool) -> None:
    if wanted:
        from labtui import __version__

        print(f"labtui {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _begin(
    context: typer.Context,
    lab: Annotated[
        Path | None, typer.Option(help="The lab folder (else $LABTUI_LAB, the nearest lab, or here).")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> int:
    _chosen["lab"] = lab
    if context.invoked_subcommand is None:
        from labtui.tui import run_app

        return run_app(open_lab())
    return 0


def open_lab() -> Lab:
    """The lab that the command line names."""
    from labtui.query import open_lab

    return open_lab(_chosen["lab"])


def terminal_width() -> int | None:
    """Cells of the terminal; None when the output goes elsewhere."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def show(
    columns: list[str], rows: list[list[Any]], format: Format = Format.table, spare: Sequence[str] = ()
) -> None:
    """Print a table in the wanted form; on a terminal it is cut to its width.

    Args:
        spare: columns that a narrow terminal does without, the first to go first.
    """
    from labtui.table import render, without_spare

    width = terminal_width() if format is Format.table else None
    if width is not None:
        columns, rows = without_spare(columns, rows, width, spare)
    print(render(columns, rows, width=width, format=format.value), end="")


def print_json(value: Any) -> None:
    """JSON in one go: numbers that JSON has not (NaN, infinite) are null."""
    import orjson

    from labtui.files.packed import as_json

    sys.stdout.flush()
    sys.stdout.buffer.write(orjson.dumps(value, default=as_json, option=orjson.OPT_APPEND_NEWLINE))


def say(message: str) -> None:
    """A message to the user on stderr: stdout is for what was asked for."""
    from labtui.table import clean

    print("\n".join(clean(line) for line in message.split("\n")), file=sys.stderr, flush=True)


def confirm(question: str, yes: bool) -> bool:
    """Ask unless told not to; without a terminal to ask on, the answer is no."""
    if yes:
        return True
    if not sys.stdin.isatty():
        say(f"{question} Nobody to ask here: give --yes.")
        return False
    say(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
