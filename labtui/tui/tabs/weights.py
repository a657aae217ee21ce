"""What went on inside a model: norms and histograms of each layer's weights and gradients."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from labtui.rows import Row
from labtui.tui.arrays import Arrays, WantArrays, why_none
from labtui.tui.commands import Command, bindings
from labtui.tui.detail import Detail
from labtui.tui.tabs.base import Tab
from labtui.tui.want import Want
from labtui.tui.widgets.lines import Lines
from labtui.tui.widgets.table import Cells, Column, Table

COLUMNS = (
    Column("layer", 22),
    Column("weights", 9, "right"),
    Column("gradient", 9, "right"),
    Column("update", 9, "right"),
    Column("over time", 0),
)
_OVER_TIME = "accent"
"""Style of the blank cell that the drawing takes the place of; no other cell has it."""


class Layers(Table):
    """The layers; the last column of each is a drawing."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command("v", "view", "view", "Show the next: gradient norm, update ratio, weight norm.", 2),
        Command("d", "distribution", "gradients", "Histograms of the gradient, or of the weights.", 2),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self, tab: WeightsTab) -> None:
        super().__init__(COLUMNS, tab.cells, id="layers")
        self.tab = tab

    def _content(self, y: int, width: int) -> tuple[Row, bool]:
        row, at_cursor = super()._content(y, width)
        if row and row[-1][1] == _OVER_TIME:
            text, _ = row.pop()
            row += [*self.tab.strip(self.keys[y - 1 + self.scroll_offset.y], len(text) - 1), (" ", "")]
        return row, at_cursor

    def action_view(self) -> None:
        """The next of what is shown over time."""
        self.tab.turn()

    def action_distribution(self) -> None:
        """Histograms of the other."""
        self.tab.other()


class WeightsTab(Tab):
    """The layers with a drawing each, and below the histograms of the one under the cursor."""

    TITLE = "weights"

    def __init__(self) -> None:
        super().__init__()
        self.inside: Any = None
        self.view, self.which = "grad_norm", "weight"

    def compose(self) -> ComposeResult:
        """Layers, what their drawings mean, histograms."""
        yield Layers(self)
        yield Lines(id="layers-legend")
        yield Lines(id="layers-histogram")

    @property
    def table(self) -> Layers:
        """The layers."""
        return self.query_one(Layers)

    @property
    def look(self) -> Any:
        """What the terminal can show."""
        from labtui.plots.parts import Look

        return Look(self.size.width, colored=not self.app.no_color)

    def wants(self) -> tuple[Want, ...]:
        """The arrays."""
        return (WantArrays(self.slot("arrays"), self.run, ("weights",)),)

    def found(self, name: str, value: Any) -> None:
        """Show them."""
        from labtui.tui.inside import checked

        if isinstance(value, Arrays):
            self.inside = checked(value.found.get("weights", {}))
            keys = [str(number) for number in range(len(self.inside.layers))] if self.inside else []
            self.table.styles.height = (
                len(keys) + 1 if keys else "1fr"
            )  # at most half; the rest is the histograms'
            self.table.show(keys)
            self.call_after_refresh(self.draw)

    def show_detail(self, detail: Detail) -> None:
        """Say why there is nothing, where there is nothing."""
        self.table.empty = "   " + why_none(detail.row["params"], detail.row["state"])
        if self.inside is None:
            self.table.refresh()

    def clear(self) -> None:
        """Another run."""
        self.inside = None
        self.table.empty = ""
        self.table.show([])
        self.table.action_first()
        self.draw()

    def enter(self) -> None:
        """The layers take the keys."""
        self.screen.set_focus(self.table)

    def cells(self, key: str) -> Cells:
        """What stands in the line of a layer."""
        layer = int(key)
        figures = [
            (self.inside.last(name, layer), "") for name in ("weight_norm", "grad_norm", "update_ratio")
        ]
        return [(self.inside.layers[layer], ""), *figures, ("", _OVER_TIME)]

    def strip(self, key: str, width: int) -> Row:
        """The drawing of a layer."""
        from labtui.tui.inside import strip

        return strip(self.inside, self.view, int(key), width, self.look)

    def draw(self) -> None:
        """Legend and histograms."""
        from labtui.tui.inside import histogram, legend

        below = self.query_one("#layers-histogram", Lines)
        rows: list[Row] = []
        if self.inside and self.table.key is not None:
            width, height = below.size
            rows = histogram(self.inside, self.which, int(self.table.key), width, height, self.look)
        below.show(rows)
        self.query_one("#layers-legend", Lines).show(
            [legend(self.inside, self.view, self.look)] if self.inside else []
        )

    def turn(self) -> None:
        """The next of what is shown over time."""
        from labtui.tui.inside import VIEWS

        names = list(VIEWS)
        self.view = names[(names.index(self.view) + 1) % len(names)]
        self.table.repaint()
        self.draw()

    def other(self) -> None:
        """Histograms of the other: gradients or weights."""
        self.which = "grad" if self.which == "weight" else "weight"
        self.draw()

    def on_table_moved(self) -> None:
        """Histograms of another layer."""
        self.draw()

    def on_resize(self) -> None:
        """Draw for another size."""
        self.call_after_refresh(self.draw)
