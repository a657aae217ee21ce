"""Groups of runs on the command line: what `ls --group` and `compare` share."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from labtui.cli.app import Format, print_json, say, show

if TYPE_CHECKING:
    from labtui.query.aggregate import Aggregate

AUTO = "auto"


class Stat(StrEnum):
    """Which number of a figure is shown."""

    mean = "mean"
    median = "median"
    min = "min"
    max = "max"


GroupOption = Annotated[
    list[str] | None,
    typer.Option(
        "--group", metavar="KEY", help="Group by keys (with commas); auto: all options but seeds and folds."
    ),
]
MetricOption = Annotated[
    list[str] | None,
    typer.Option("--metric", metavar="KEY", help="Figures of groups: val.acc, val.acc.last, test.loss.min."),
]
StatOption = Annotated[Stat, typer.Option("--stat", help="Of groups: mean with deviation, or another.")]
BaselineOption = Annotated[
    str, typer.Option("--baseline", metavar="RUN", help="Compare groups with this run's (else the pinned).")
]
UnfinishedOption = Annotated[
    bool, typer.Option("--unfinished", help="Figures of runs count that have not finished, too.")
]


def given_keys(group: list[str]) -> list[str]:
    """The keys that --group names; none for `auto`."""
    return [key for key in separated(group) if key != AUTO]


def separated(words: list[str]) -> list[str]:
    """Words of several options, and between commas."""
    return [part.strip() for word in words for part in word.split(",") if part.strip()]


def list_groups(
    table: Aggregate, stat: Stat, sort: str = "", limit: int | None = None, format: Format = Format.table
) -> None:
    """Print a table of groups; what there is to say of it goes to stderr, in markdown below it."""
    from labtui.grouped import caption, in_numbers, in_words, spare

    if sort:
        table.sort(sort, stat.value)
    said, total = caption(table), len(table.groups)
    table.groups = table.groups if limit is None else table.groups[:limit]
    if format is Format.json:
        print_json([group.record() for group in table.groups])
    elif format is Format.csv:
        show(*in_numbers(table), format)
    else:
        show(*in_words(table, stat.value), format, spare=spare(table))
    if not total:
        said.append("no run fits")
    elif not table.columns:
        said.append("no figures: these runs monitor no metric; choose some with --metric KEY")
    elif not any(spread.n for group in table.groups for spread in group.spreads.values()):
        said.append("no run has finished with these figures; --unfinished counts the others, too")
    if len(table.groups) < total:
        said.append(f"… and {total - len(table.groups)} more (--limit)")
    sys.stdout.flush()
    for sentence in said:
        say(sentence)
