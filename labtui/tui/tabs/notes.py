"""Notes and to-dos of a run: read, written, changed, ticked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.errors import LabtuiError, NoteChanged
from labtui.notes import problem, todo_state
from labtui.tui import acts
from labtui.tui.commands import Command, bindings
from labtui.tui.tabs.base import Tab
from labtui.tui.want import Eyes, Want, file_stamp
from labtui.tui.widgets.entries import Entries, Entry

NAMES = {"notes": "note", "todos": "to-do"}


@dataclass(frozen=True)
class Written:
    """What a run's `notes.toml` says.

    Args:
        run: its id.
        notes: its tables.
        problem: why it cannot be read.
    """

    run: str
    notes: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class WantNotes(Want):
    """The notes of a run: found is what is `Written`."""

    run: str

    def stamp(self, eyes: Eyes) -> object:
        """The file's."""
        return file_stamp(eyes.lab.paths.run(self.run).notes)

    def look(self, eyes: Eyes, before: Written | None) -> Written | None:
        """Read them."""
        run = eyes.run(self.run)
        return Written(self.run, run.notes(), problem(run.paths)) if run else None


class NotesTab(Tab):
    """What is to be done, then what was noted."""

    TITLE = "notes"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("n", "new('notes')", "note", "Add a note to the run.", 1),
        Command("T", "new('todos')", "to-do", "Add something to do.", 1),
        Command("enter,e", "edit", "edit entry", "Change the note or to-do under the cursor.", 2),
        Command("space", "tick", "done", "The to-do is done; or open again.", 2),
        Command("P", "mark('pending')", "pending", "The to-do waits for something: says for what.", 4),
        Command("A", "mark('abort')", "abort", "The to-do will not be done: says why.", 4),
        Command("delete,backspace", "delete", "delete entry", "Delete the note or to-do. Asks first.", 3),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def compose(self) -> ComposeResult:
        """The list."""
        yield Entries(id="entries")

    @property
    def entries(self) -> Entries:
        """The list."""
        return self.query_one(Entries)

    def wants(self) -> tuple[Want, ...]:
        """What the file says."""
        return (WantNotes(self.slot("file"), self.run),)

    def found(self, name: str, value: Any) -> None:
        """Show it."""
        self.entries.fill(value.notes, value.problem)

    def clear(self) -> None:
        """Another run."""
        self.entries.fill({})

    def enter(self) -> None:
        """The list takes the keys."""
        self.screen.set_focus(self.entries)

    def on_entries_opened(self) -> None:
        """An entry was clicked twice."""
        self.action_edit()

    def write(
        self, title: str, kind: str, number: int | None = None, text: str = "", mine: str | None = None,
        run: str = "",
    ) -> None:  # fmt: skip
        """Open an editor, and write what comes of it.

        Args:
            number: which entry; None: a new one.
            text: what it says on the disk.
            mine: what the user has already made of it.
            run: whose it is; empty: the one that is shown.
        """
        from labtui.tui.screens.write import Write

        run, app = run or self.run, self.run_screen.lab_app
        name = NAMES[kind]

        def ask_again(said: str, written: str, number: int | None, text: str) -> None:
            """What the user wrote is not thrown away because somebody else was quicker, or the disk is full."""
            self.write(said, kind, number, text, mine=written, run=run)

        def save(written: str) -> Callable[[], str]:
            def work() -> str:
                try:
                    return acts.write_entry(app.lab.paths, run, kind, number, written, text)
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
        self.write("A note" if kind == "notes" else "Something to do", kind)

    def action_edit(self) -> None:
        """Change what is under the cursor."""
        if entry := self.entries.entry:
            self.write(f"The {NAMES[entry.kind]}", entry.kind, entry.number, entry.text)
        else:
            self.run_screen.lab_app.say("there is no note yet; n adds one")

    def action_delete(self) -> None:
        """Delete what is under the cursor, after asking."""
        entry, run, app = self.entries.entry, self.run, self.run_screen.lab_app
        if entry is None:
            return
        from labtui.tui.screens.ask import Confirm

        def delete() -> str:
            return acts.write_entry(app.lab.paths, run, entry.kind, entry.number, "", entry.text)

        first = entry.text.strip().split("\n")[0]
        question = f"Delete the {NAMES[entry.kind]} “{first}”?"
        app.push_screen(Confirm(question), lambda yes: app.act("note", delete) if yes else None)

    def action_tick(self) -> None:
        """Done, or open again."""
        if entry := self._todo():
            self._mark(entry, "done" if todo_state(entry.fields) != "done" else "open")

    def action_mark(self, state: str) -> None:
        """Say how the to-do stands, and why; the same again: it is open."""
        if not (entry := self._todo()):
            return
        if todo_state(entry.fields) == state:
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
            self.run_screen.lab_app.say("the cursor is on no to-do; T adds one")
            return None
        return entry

    def _mark(self, entry: Entry, state: str, reason: str = "") -> None:
        run, app = self.run, self.run_screen.lab_app
        do = lambda: acts.mark_entry(app.lab.paths, run, entry.number, entry.text, state, reason)  # noqa: E731
        app.act("to-do", do)
