"""Where a model puts samples: a scatter plot, coloured by class."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from labtui.tui.arrays import NOT_YET, Arrays, WantArrays, why_none
from labtui.tui.commands import Command, bindings
from labtui.tui.detail import Detail
from labtui.tui.tabs.base import Tab
from labtui.tui.want import Want
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Column, Table

COLUMNS = (Column(" ", 1), Column("class", 0), Column("n", 5, "right"), Column("wrong", 5, "right"))
NAMES = ("embedding", "embeddings", "embeddings_untrained")


class Classes(Table):
    """The classes, with their samples."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command(
            "v", "view", "view", "The next picture: t-SNE, principal components, before the training.", 2
        ),
        Command(
            "space,enter", "single", "single out", "Only the class under the cursor in colour, or all.", 2
        ),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, tab: EmbeddingTab) -> None:
        super().__init__(COLUMNS, tab.cells, id="classes")
        self.tab = tab

    def action_view(self) -> None:
        """The next picture."""
        self.tab.turn()

    def action_single(self) -> None:
        """Single out the class under the cursor, or show all alike."""
        self.tab.single_out(self.key)


class EmbeddingTab(Tab):
    """A picture of the samples, and the classes beside it."""

    TITLE = "embedding"

    def __init__(self) -> None:
        super().__init__()
        self.views: list[Any] = []
        self.names: tuple[str, ...] = ()
        self.counts: dict[str, tuple[int, int]] = {}
        self.chosen, self.single, self.why = 0, "", ""

    def compose(self) -> ComposeResult:
        """Title, picture, classes."""
        yield Lines(id="embedding-title")
        with Horizontal():
            yield Lines(id="embedding-picture")
            yield Classes(self)

    @property
    def table(self) -> Classes:
        """The classes."""
        return self.query_one(Classes)

    def wants(self) -> tuple[Want, ...]:
        """The arrays."""
        return (WantArrays(self.slot("arrays"), self.run, NAMES),)

    def found(self, name: str, value: Any) -> None:
        """Show them."""
        from labtui.tui.scatter import views

        if isinstance(value, Arrays):
            self.views, self.names = views(value.found), value.classes
            self.chosen = min(self.chosen, max(len(self.views) - 1, 0))
            self.draw()

    def show_detail(self, detail: Detail) -> None:
        """Say why there is nothing, where there is nothing."""
        state = detail.row["state"]
        self.why = why_none(detail.row["params"], state)
        if self.why == NOT_YET:
            self.why = "nothing yet: samples are embedded when the training has ended by itself"
        if not self.views:
            self.draw()

    def clear(self) -> None:
        """Another run."""
        self.views, self.counts, self.chosen, self.single, self.why = [], {}, 0, "", ""
        self.table.action_first()
        self.draw()

    def enter(self) -> None:
        """The classes take the keys."""
        self.screen.set_focus(self.table)

    def cells(self, key: str) -> Cells:
        """What stands in the line of a class."""
        from labtui.tui.scatter import color_of, letter_of, name_of

        colored, one = not self.app.no_color, int(key)
        size, wrong = self.counts[key]
        style = color_of(one) if colored else ""
        mark = ("●" if self.single in ("", key) else "○") if colored else letter_of(one)
        name = name_of(one, self.names)
        lead = "bold" if key == self.single else ""
        known = self.views[self.chosen].prediction is not None
        return [(mark, style), (name, lead), (str(size), "dim"), (str(wrong or "") if known else "", "warn")]

    def draw(self) -> None:
        """Title, picture, classes."""
        from labtui.tui.scatter import WRONG, scatter

        title, picture = (
            self.query_one("#embedding-title", Lines),
            self.query_one("#embedding-picture", Lines),
        )
        if not self.views:
            title.show([[(f" {self.why}", "dim")]])
            picture.show([])
            self.table.visible = False
            return
        view = self.views[self.chosen]
        self.counts = {str(one): (size, wrong) for one, size, wrong in view.counts()}
        if self.single not in self.counts:
            self.single = ""
        colored = not self.app.no_color
        wrong = int(view.wrong.sum())
        more = (
            f"  {WRONG} {wrong} of {len(view.y)} taken for another class"
            if view.prediction is not None and colored
            else ""
        )
        title.show([[(f" {view.title}", "bold"), (more, "dim")]])
        self.table.visible = True
        self.table.show(list(self.counts))
        width, height = picture.size
        single = int(self.single) if self.single else None
        picture.show(scatter(view, width, height, single, colored))

    def turn(self) -> None:
        """The next picture."""
        if len(self.views) < 2:
            self.run_screen.lab_app.say(
                "there is no other picture: t-SNE is drawn where it takes at most 3 % of the training's time"
                if self.views
                else "there is no picture"
            )
            return
        self.chosen = (self.chosen + 1) % len(self.views)
        self.draw()

    def single_out(self, key: str | None) -> None:
        """Show one class, or all alike."""
        self.single = "" if key is None or key == self.single else key
        self.draw()
        self.table.repaint()

    def on_resize(self) -> None:
        """Draw for another size."""
        self.call_after_refresh(self.draw)
