"""A report as it will look: its sections are chosen, it is saved, or copied to the user's own machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.cells import clean
from labtui.errors import told
from labtui.query import Lab
from labtui.rows import Row
from labtui.tui.commands import COMMON, MOVE, Command, bindings
from labtui.tui.screens.base import Base
from labtui.tui.widgets.keys import Keys
from labtui.tui.widgets.lines import Lines, TextView

if TYPE_CHECKING:
    from labtui.report.subject import Subject

MUCH = 74_000
"""Bytes of text from which on many terminals take no copy: 100 kB as they travel."""

WAYS: dict[str, dict[str, Any]] = {
    "markdown, pictures and tables beside it": {"format": "md"},
    "markdown, pictures as SVG": {"format": "md", "svg": True},
    "markdown, charts as text": {"format": "md", "pictures": False},
    "HTML, one file with everything in it": {"format": "html"},
    "HTML, pictures as SVG": {"format": "html", "svg": True},
    "LaTeX, the tables": {"format": "latex"},
    "CSV, a folder with a file a table": {"format": "csv"},
}
"""How a report can be saved, and what `Subject.write` takes for it."""

LONGEST = 110
"""Cells of a line at most: longer ones are hard to read."""


class ReportScreen(Base):
    """The report of a run, a sweep, a recipe, several of them, or the lab.

    Args:
        keys: ids of runs and sweeps, paths of recipes; none: the whole lab.
    """

    CSS_PATH = Path(__file__).parents[1] / "css" / "report.tcss"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("escape", "back", "back", "Back to where you came from.", 1),
        Command("ctrl+s", "save", "save", "Write the report in the chosen format.", 1),
        Command("o", "sections", "sections", "Choose what is in the report.", 3),
        Command("f", "format", "format", "Markdown, HTML, LaTeX or CSV; pictures as PNG, SVG or text.", 3),
        Command(
            "y", "copy", "copy", "Copy the markdown to your own machine's clipboard, through the terminal.", 3
        ),
        *COMMON,
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(KEYS), *bindings(MOVE)]

    def __init__(self, *keys: str) -> None:
        super().__init__(keys[0] if keys else "")
        self.keys = keys
        self.subject: Subject | None = None
        self.sections: list[str] = []
        """Those that are chosen; none: all."""
        self.way = next(iter(WAYS))
        """How it will be saved."""
        self.text = self.said = ""
        self._width = 0
        self._asked: tuple[list[str], int] = ([], 0)
        """Sections and cells of the newest report that was asked for."""

    def compose(self) -> ComposeResult:
        """Title, the report, keys."""
        yield Lines(id="title")
        yield TextView(id="report")
        yield Keys(self.KEYS)

    def on_mount(self) -> None:
        """The report takes the keys."""
        self.set_focus(self.view)
        self.query_one("#title", Lines).show([[(" Report  ", "title"), ("writing …", "dim")]])
        self.write_again()

    @property
    def view(self) -> TextView:
        """The report's text."""
        return self.query_one(TextView)

    def on_resize(self, event: events.Resize) -> None:
        """The same in other lines."""
        if self.text and event.size.width != self._width:
            self.write_again()

    def write_again(self) -> None:
        """Compose the report, in a worker: series are read, and tables laid out."""
        self._width = self.size.width
        width, sections, known = min(self._width - 3, LONGEST), list(self.sections), self.subject
        lab, keys = self.lab_app.lab.paths, self.keys
        self._asked = sections, width

        def work() -> None:
            from labtui.report.subject import subject
            from labtui.tui.markdown import rendered

            try:
                found = known or subject(Lab(lab), *keys)
                text = found.text(sections)
                rows = rendered(text, width)
            except Exception as error:  # whatever is on the disk: a screen outlives it
                self.app.call_from_thread(self.failed, told(error))
                return
            self.app.call_from_thread(self.written, found, text, rows, (sections, width))

        self.run_worker(work, thread=True, name="report", group="report", exclusive=True)

    def written(self, found: Subject, text: str, rows: list[Row], asked: tuple[list[str], int]) -> None:
        """Show the report, unless another is wanted by now: nobody stops a thread."""
        self.subject = found
        if asked != self._asked:
            return
        self.text = text
        self.said = (
            f"{len(self.sections)} of {len(found.titles)} sections" if self.sections else "all sections"
        )
        self.show_title(found)
        self.view.show(rows)

    def show_title(self, found: Subject) -> None:
        """How much there is, and the file that it would be saved as."""
        file = clean(found.file_of(WAYS[self.way]["format"]))
        self.query_one("#title", Lines).show(
            [[(" Report  ", "title"), (f"{self.said}  ", ""), (file, "dim")]]
        )

    def failed(self, problem: str) -> None:
        """Say what is wrong, where the report would stand."""
        self.query_one("#title", Lines).show([[(" Report", "title")]])
        self.view.show([[(clean(line), "bad")] for line in problem.splitlines()])

    def action_move(self, lines: int) -> None:
        """Scroll, wherever the focus is."""
        self.view.action_move(lines)

    def action_page(self, pages: int) -> None:
        """Scroll by pages."""
        self.view.action_page(pages)

    def action_first(self) -> None:
        """To the top."""
        self.view.action_first()

    def action_last(self) -> None:
        """To the end."""
        self.view.action_last()

    def action_sections(self) -> None:
        """Ask what is to be in it."""
        if (found := self.subject) is None:
            return
        from labtui.tui.screens.ask import Choose

        def done(names: list[str] | None) -> None:
            if names:
                self.sections = [] if len(names) == len(found.titles) else names
                self.view.action_first()
                self.write_again()

        titles = dict(found.titles)
        self.app.push_screen(Choose("Sections of the report", titles, self.sections or titles), done)

    def action_format(self) -> None:
        """Ask how it is to be saved."""
        if (found := self.subject) is None:
            return
        from labtui.tui.screens.ask import Choose

        def done(names: list[str] | None) -> None:
            if names:
                self.way = names[0]
                self.show_title(found)

        ways = {way: way for way in WAYS}
        self.app.push_screen(Choose("Save the report as", ways, [self.way], several=False), done)

    def action_save(self) -> None:
        """Ask for the file, and write it."""
        if self.subject:
            self._ask_file(str(Path(self.subject.file_of(WAYS[self.way]["format"])).absolute()))

    def _ask_file(self, value: str) -> None:
        from labtui.tui.screens.ask import Prompt

        def done(text: str | None) -> None:
            if text and text.strip():
                self._save(text.strip())

        self.app.push_screen(Prompt(f"Save the report as {self.way}", value), done)

    def _save(self, name: str) -> None:
        found, sections, way = self.subject, list(self.sections), dict(WAYS[self.way])
        assert found is not None, "only then there is something to save"

        def work() -> None:
            from labtui.report.formats import ENDINGS

            if any(name.lower().endswith(endings) for endings in ENDINGS.values()):
                way["format"] = None  # as the name says
            try:
                path = found.write(Path(name).expanduser().absolute(), sections, **way)
            except Exception as error:  # as above
                self.app.call_from_thread(self._refused, name, told(error))
                return
            folder = path.with_name(f"{path.stem}_files") if path.is_file() else path
            more = f", with {len(list(folder.iterdir()))} files in {folder.name}/" if folder.is_dir() else ""
            self.app.call_from_thread(self.lab_app.say, f"saved {path}{more}")

        self.lab_app.say("writing the report …")
        self.run_worker(work, thread=True, name="save", group="save")

    def _refused(self, name: str, problem: str) -> None:
        """Say why it was not saved, and ask again."""
        self.lab_app.say(problem, "error")
        if self.in_front:
            self._ask_file(name)

    def action_copy(self) -> None:
        """Hand the markdown to the terminal (OSC 52), which keeps it or not: it does not answer."""
        if not self.text:
            return
        self.app.copy_to_clipboard(self.text.encode("utf-8", "backslashreplace").decode())
        much = "; that is more than many terminals take" if len(self.text.encode()) > MUCH else ""
        self.lab_app.say(
            f"{_size(self.text)} sent to the terminal's clipboard{much}. If nothing can be pasted, the terminal does "
            "not allow it (OSC 52; in tmux: set -g set-clipboard on)"
        )


def _size(text: str) -> str:
    """How much text, for people."""
    size = len(text.encode("utf-8", "replace"))
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1000:.0f} kB"
