"""Small commands: whole processes, against a Python that imports typer."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from harness import Row, fresh, interleaved, labtui, median, whole


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    empty = fresh()
    imported, helped, listed = (
        median(figures)
        for figures in interleaved(
            5 if quick else 15,
            lambda: whole([sys.executable, "-c", "import typer"]),
            lambda: whole(labtui("--help")),
            lambda: whole(labtui("--lab", empty, "ls")),
        )
    )
    yield Row("labtui --help; bare: import typer", helped, "s", imported, 0.2)
    yield Row("labtui ls in an empty lab; bare: import typer", listed, "s", imported, 0.25)
