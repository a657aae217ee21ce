"""The formats of a report, one a file; each is a `FORM` there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from labtui.errors import LabError
from labtui.report.blocks import Block
from labtui.report.document import Beside
from labtui.report.kept import Marks


@dataclass(frozen=True)
class Form:
    """A format that is one text.

    Args:
        marks: how the file says what is whose.
        render: name of what the report is of, its blocks, what lies beside it; the text without first line.
        beside: what belongs to the text lies in a folder beside it; else it is in the text, or nowhere.
        draws: it has pictures.
    """

    marks: Marks
    render: Callable[[str, Iterable[Block], Beside], str]
    beside: bool = False
    draws: bool = False


ENDINGS = {
    "md": (".md", ".markdown"),
    "html": (".html", ".htm"),
    "latex": (".tex", ".latex"),
    "csv": (".csv",),
}
"""Of files, by format; the first is the usual one."""


def named(format: str | None, out: Path | None) -> str:
    """The format that is wanted.

    Args:
        format: as it was said; None: as the file's name ends, and markdown where that says nothing.

    Raises:
        LabError: there is none such, or the file's name says another.
    """
    ending = out.suffix.lower() if out else ""
    said = next((name for name, endings in ENDINGS.items() if ending in endings), None)
    if format is not None and format not in ENDINGS:
        raise LabError(f"format {format!r}: unknown; known here: {', '.join(ENDINGS)}")
    if format and said and said != format:
        raise LabError(
            f"{out}: its name ends as that of {said}, and the format is to be {format}; "
            f"name it …{ENDINGS[format][0]}, or leave the format out"
        )
    return format or said or "md"


def form(name: str) -> Form:
    """A format that is one text: md, html or latex."""
    found: Form = import_module(f"labtui.report.formats.{name}").FORM
    return found
