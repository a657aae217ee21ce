"""The sweeps of a lab: how far each is, and its best cell."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from labtui import swept
from labtui.cells import clean
from labtui.files.paths import created
from labtui.query import Lab
from labtui.query.progress import TO_COME, Progress
from labtui.query.sweeps import sweeps
from labtui.tui.commands import COMMON, Command, bindings
from labtui.tui.newest import Failed, Newest
from labtui.tui.screens.base import Base
from labtui.tui.tables import SIGNS, since
from labtui.tui.want import Eyes, Want, file_stamp
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Column, Table

COLUMNS = (
    Column("sweep", 0),
    Column("recipe", 28, least=120),
    Column("method", 8, least=100),
    Column("finished", 13, "right"),
    Column("others", 12),
    Column("metric", 12, least=110),
    Column("best", 22, "right"),
    Column("age", 4, "right"),
    Column("id", 4),
)
SHARE = 0.2
"""Of its time the worker that counts works at most."""


@dataclass(frozen=True)
class WantChanges(Want):
    """Whether any run or sweep has changed: found differs from what was found before."""

    def stamp(self, eyes: Eyes) -> object:
        """Changes of runs, and the folder of the sweeps."""
        return eyes.changes, file_stamp(eyes.lab.paths.sweeps)

    def look(self, eyes: Eyes, before: object) -> object:
        """The same."""
        return self.stamp(eyes)


class SweepsScreen(Base):
    """One row a sweep, the newest first."""

    CSS_PATH = Path(__file__).parents[1] / "css" / "sweep.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Back to the runs.", 1),
        Command("enter", "open", "open", "Open the sweep.", 1),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__("sweeps")
        self.sweeps: dict[str, Progress] = {}
        self._lab = Lab(self.lab_app.lab.paths)  # the feed's own is its thread's
        self._work = Newest(self, "sweeps", SHARE)

    def compose(self) -> ComposeResult:
        """Title, table, keys."""
        yield Lines(id="title")
        yield Table(COLUMNS, self.cells, id="sweeps", empty="  Reading the sweeps …")
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The table takes the keys."""
        self.set_focus(self.table)
        self.query_one("#title", Lines).show([[(" sweeps  ", "title"), (self.lab_app.place, "dim")]])

    def on_unmount(self) -> None:
        """Begin nothing more."""
        self._work.stop()

    @property
    def table(self) -> Table:
        """The sweeps."""
        return self.query_one(Table)

    def wants(self) -> tuple[Want, ...]:
        """Whatever changes."""
        return (WantChanges(self.slot("changes")),)

    def found(self, name: str, value: Any) -> None:
        """Count anew."""
        self._work.ask(lambda: sweeps(self._lab), self.counted, hurry=not self.sweeps)

    def counted(self, found: list[Progress] | Failed) -> None:
        """Show them."""
        if isinstance(found, Failed):
            self.table.empty, found = f"  {clean(found)}", []
        else:
            self.table.empty = "  No sweeps yet: launch a recipe with a [sweep] or folds."
        self.sweeps = {one.sweep: one for one in reversed(found)}
        self.table.show(list(self.sweeps))

    def cells(self, key: str) -> Cells:
        """A row of the table."""
        one = self.sweeps[key]
        counts = one.counts
        done = f"{counts.get('finished', 0):,} of {one.trainings:,}"
        others = [(state, n) for state, n in counts.items() if n and state not in ("finished", TO_COME)]
        signs = " ".join(f"{swept.SIGNS.get(state, '◦')} {n:,}" for state, n in others)
        going = any(state in ("running", "queued") for state, _ in others)
        style = "accent" if going else "bad" if any(state == "failed" for state, _ in others) else "dim"
        figure = swept.figures(one.best) if one.best else ""
        return [
            (clean(one.name), ""), (clean(one.recipe), "dim"), (one.method, "dim"),
            (done, SIGNS["finished"][1] if not one.left else ""), (signs, style), (clean(one.metric), "dim"),
            (figure, ""), (self._age(key), "dim"), (clean(key[-4:]), "dim"),
        ]  # fmt: skip

    def _age(self, key: str) -> str:
        with suppress(ValueError):  # it has a name of its own
            return since(self.lab_app.now() - created(key))
        return ""

    def action_open(self) -> None:
        """Open the sweep under the cursor."""
        if self.table.key:
            self.lab_app.open_sweep(self.table.key)

    def on_table_opened(self) -> None:
        """A row was clicked twice."""
        self.action_open()
