"""What sections of every report have: their form, and the files that go with the text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from labtui.report.blocks import Block
from labtui.report.spreadsheet import csv_text

Kind = TypeVar("Kind")


class NotRecorded(Exception):
    """A section has no more to say; the message tells the reader why."""


@dataclass
class Beside:
    """What lies beside a report: pictures, and tables.

    Args:
        folder: name of the folder.
        draws: False names the files, and makes none: for a preview.
        pictures: False draws charts as text instead.
        drawn: what pictures are: png or svg.
    """

    folder: str
    draws: bool = True
    pictures: bool = True
    drawn: str = "png"
    files: dict[str, bytes] = field(default_factory=dict)
    """Name to content."""

    def attach(self, name: str, make: Callable[[], bytes]) -> str:
        """Let a file lie beside the report; its address in markdown."""
        if self.draws:
            self.files[name] = make()
        return quote(os.fsencode(f"{self.folder}/{name}"))

    def attach_csv(self, name: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> str:
        """Let a table lie beside the report; its address in markdown."""
        return self.attach(name, lambda: csv_text(columns, rows).encode("utf-8", "backslashreplace"))


class Section(NamedTuple, Generic[Kind]):
    """A part of a report."""

    title: str
    """What people choose it by."""
    blocks: Callable[[Kind], Iterable[Block]]
    """Its pieces, the heading first; where it knows no more it raises NotRecorded, and the report says so."""
    files: tuple[str, ...] = ()
    """Names of all that it may lay beside the report."""


def mapping(value: Any) -> dict[str, Any]:
    """A table that came from a file, or an empty one where something else stands."""
    return dict(value) if isinstance(value, Mapping) else {}
