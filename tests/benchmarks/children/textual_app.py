"""What Textual takes itself: an app with one line, or with its own table of so many rows."""

import sys

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 0


class Bare(App[None]):
    """One widget."""

    def compose(self) -> ComposeResult:
        """A line or a table."""
        yield DataTable(cursor_type="row") if ROWS else Static("ready")

    def on_mount(self) -> None:
        """Fill the table."""
        if ROWS:
            table = self.query_one(DataTable)
            table.add_columns(*"abcdefgh")
            table.add_rows([f"{row}.{column}" for column in range(8)] for row in range(ROWS))


Bare().run()
