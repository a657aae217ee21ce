"""Notes and to-dos of a run."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from labtui.tui.commands import Command, bindings
from labtui.tui.detail import Detail
from labtui.tui.panes import note_rows
from labtui.tui.tabs.text import TextTab


class NotesTab(TextTab):
    """Notes with their dates, then to-dos."""

    TITLE = "notes"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("e", "edit", "edit note", "Change or remove the newest note.", 3),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def show_detail(self, detail: Detail) -> None:
        """All of them."""
        self.text.show(note_rows(detail))

    def action_edit(self) -> None:
        """Change the newest note; an empty one removes it."""
        detail, app = self.run_screen.detail, self.run_screen.lab_app
        notes = detail.notes.get("notes", []) if detail else []
        if not notes:
            app.say("there is no note yet; n adds one")
            return
        from labtui.tui.screens.ask import Prompt

        run = self.run

        def done(text: str | None) -> None:
            if text is not None:
                app.write("edit", [run], text.strip())

        app.push_screen(Prompt("Newest note (empty removes it)", str(notes[-1]["text"])), done)
