"""Notes and to-dos of a run, a sweep, a recipe, or of the whole lab: read, written, changed, ticked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from labtui.errors import LabtuiError, NoteChanged
from labtui.files.paths import LabPaths, Noted
from labtui.notes import Entry, entries, problem
from labtui.query.notebook import noted, places
from labtui.tui import acts
from labtui.tui.commands import Command, bindings
from labtui.tui.want import Eyes, Want, file_stamp
from labtui.tui.widgets.entries import Entries, place_of

if TYPE_CHECKING:
    from labtui.tui.app import LabApp

NAMES = {"notes": "note", "todos": "to-do"}


@dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        on: what the notebook is of.
        entries: what is written on it, and on what it belongs to or what belongs to it.
        problem: why something of it cannot be read.
    """

    on: Noted
    entries: Sequence[Entry]
    problem: str = ""


@dataclass(frozen=True)
class WantNotes(Want):
    """Notes and to-dos: of a run also those of its sweep, its recipe and the lab, of the lab all."""

    on: Noted

    def stamp(self, eyes: Eyes) -> object:
        """The files'."""
        return [(place, file_stamp(place.notes)) for place in self._places(eyes)]

    def look(self, eyes: Eyes, before: Written | None) -> Written:
        """Read them."""
        read = self._places(eyes)
        wrong = [said for place in read if (said := problem(place))]
        return Written(self.on, [one for place in read for one in entries(place)], "; ".join(wrong))

    def _places(self, eyes: Eyes) -> list[Noted]:
        if isinstance(self.on, LabPaths):
            return noted(self.on, eyes.lab.index.rows)
        row = eyes.lab.index.row(self.on.id) if self.on.kind == "run" else None
        return list(dict.fromkeys([self.on, *(places(eyes.lab.paths, row) if row else ())]))


class Notebook(Vertical):
    """What is to be done, then what was noted."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("n", "new('notes')", "note", "Add a note.", 1),
        Command("T", "new('todos')", "to-do", "Add something to do.", 1),
        Command("enter,e", "edit", "edit entry", "Change the note or to-do under the cursor.", 2),
        Command("space", "tick", "done", "The to-do is done; or open again.", 2),
        Command("P", "mark('pending')", "pending", "The to-do waits for something: says for what.", 4),
        Command("A", "mark('abort')", "abort", "The to-do will not be done: says why.", 4),
        Command("delete,backspace", "delete", "delete entry", "Delete the note or to-do. Asks first.", 3),
        Command("f", "filter", "which", "Show all, what is to do, what waits, what is done, or notes.", 5),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)
    SHOWN: ClassVar[dict[str, Callable[[Entry], bool]]] = {
        "all": lambda one: True,
        "open to-dos": lambda one: one.kind == "todos" and one.state == "open",
        "pending": lambda one: one.kind == "todos" and one.state == "pending",
        "done or aborted": lambda one: one.kind == "todos" and one.state in ("done", "abort"),
        "notes": lambda one: one.kind == "notes",
    }

    def __init__(self) -> None:
        super().__init__()
        self.on: Noted | None = None
        """What a new entry is written on."""
        self.which = "all"
        self._written: Written | None = None

    def compose(self) -> ComposeResult:
        """The list."""
        yield Entries(id="entries")

    @property
    def lab_app(self) -> LabApp:
        """The app, with its own type."""
        return cast("LabApp", self.app)

    @property
    def entries(self) -> Entries:
        """The list."""
        return self.query_one(Entries)

    def show(self, written: Written | None) -> None:
        """Show what was found; None: nothing yet."""
        self._written = written
        self.on = written.on if written else self.on
        shown = [one for one in written.entries if self.SHOWN[self.which](one)] if written else []
        self.entries.fill(shown, self.on, written.problem if written else "")

    def on_entries_opened(self) -> None:
        """An entry was clicked twice."""
        self.action_edit()

    def action_filter(self) -> None:
        """Show another part."""
        names = list(self.SHOWN)
        self.which = names[(names.index(self.which) + 1) % len(names)]
        self.show(self._written)
        self.lab_app.say(f"shown: {self.which}")

    def write(
        self,
        title: str,
        on: Noted,
        kind: str,
        number: int | None = None,
        text: str = "",
        mine: str | None = None,
    ) -> None:
        """Open an editor, and write what comes of it.

        Args:
            number: which entry; None: a new one.
            text: what it says on the disk.
            mine: what the user has already made of it.
        """
        from labtui.tui.screens.write import Write

        app, name = self.lab_app, NAMES[kind]

        def ask_again(said: str, written: str, number: int | None, text: str) -> None:
            """What the user wrote is not thrown away because somebody else was quicker, or the disk is full."""
            self.write(said, on, kind, number, text, mine=written)

        def save(written: str) -> Callable[[], str]:
            def work() -> str:
                try:
                    return acts.write_entry(on, kind, number, written, text)
                except NoteChanged:
                    said = f"The {name} was changed elsewhere meanwhile: save yours as a new {name}"
                    app.call_from_thread(ask_again, said, written, None, "")
                    raise
                except (LabtuiError, OSError):
                    app.call_from_thread(ask_again, f"The {name} is not saved", written, number, text)
                    raise

            return work

        def done(written: str | None) -> None:
            if written is not None and written.strip() and written != text:
                app.act("note", save(written.rstrip()))

        app.push_screen(Write(title, text if mine is None else mine, kept=mine is None), done)

    def action_new(self, kind: str) -> None:
        """A note, or something to do."""
        if self.on is not None:
            place = "" if self.on.kind == "run" else f": {place_of(self.on)}"
            self.write(("A note" if kind == "notes" else "Something to do") + place, self.on, kind)

    def action_edit(self) -> None:
        """Change what is under the cursor."""
        if entry := self.entries.entry:
            self.write(f"The {NAMES[entry.kind]}", entry.of, entry.kind, entry.number, entry.text)
        else:
            self.lab_app.say("there is no note yet; n adds one")

    def action_delete(self) -> None:
        """Delete what is under the cursor, after asking."""
        entry, app = self.entries.entry, self.lab_app
        if entry is None:
            return
        from labtui.tui.screens.ask import Confirm

        def delete() -> str:
            return acts.write_entry(entry.of, entry.kind, entry.number, "", entry.text)

        first = entry.text.strip().split("\n")[0]
        question = f"Delete the {NAMES[entry.kind]} “{first}”?"
        app.push_screen(Confirm(question), lambda yes: app.act("note", delete) if yes else None)

    def action_tick(self) -> None:
        """Done, or open again."""
        if entry := self._todo():
            self._mark(entry, "done" if entry.state != "done" else "open")

    def action_mark(self, state: str) -> None:
        """Say how the to-do stands, and why; the same again: it is open."""
        if not (entry := self._todo()):
            return
        if entry.state == state:
            self._mark(entry, "open")
            return
        from labtui.tui.screens.ask import Prompt

        title = "Waits for what?" if state == "pending" else "Why will it not be done?"

        def done(reason: str | None) -> None:
            if reason is not None:
                self._mark(entry, state, reason.strip())

        self.app.push_screen(Prompt(f"{title} (may be left empty)"), done)

    def _todo(self) -> Entry | None:
        entry = self.entries.entry
        if entry is None or entry.kind != "todos":
            self.lab_app.say("the cursor is on no to-do; T adds one")
            return None
        return entry

    def _mark(self, entry: Entry, state: str, reason: str = "") -> None:
        self.lab_app.act("to-do", lambda: acts.mark_entry(entry, state, reason))
