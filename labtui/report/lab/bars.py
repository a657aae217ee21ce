"""Figures of a few named things beside chance, as bars: a picture, or lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from labtui.cells import clean, pad, width
from labtui.report.figure import saved
from labtui.report.fonts import Fonts
from labtui.report.picture import COLOURS
from labtui.table import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOM = 40
"""Characters of the longest bar of text."""


class Bar(NamedTuple):
    """One of them."""

    name: str
    value: float
    std: float | None = None
    """Deviation over runs; None: there is one."""
    chance: float | None = None
    """What the best constant answer has; None: not known."""


@dataclass
class Bars:
    """A picture of some bars, the first on top.

    Args:
        title: what the bars measure.
    """

    title: str
    bars: Sequence[Bar]

    @cached_property
    def fonts(self) -> Fonts:
        """The letters of its names."""
        return Fonts(dict.fromkeys([self.title, *(bar.name for bar in self.bars)]), "model")

    def picture(self, format: str = "png") -> bytes:
        """The picture, as PNG or SVG: the same input gives the same bytes."""
        size = (8.0, min(1.3 + 0.4 * len(self.bars), 40.0))
        return saved(self._fill, self.fonts.families, size, format)

    def _fill(self, figure: Figure) -> None:
        axes = figure.add_subplot()
        places = range(len(self.bars))
        values = [bar.value for bar in self.bars]
        drawn = axes.barh(
            places,
            values,
            0.62,
            xerr=[bar.std or 0.0 for bar in self.bars],
            color=COLOURS[0],
            ecolor="0.25",
        )
        axes.bar_label(drawn, [number(value, 3) for value in values], padding=6, fontsize=9)
        axes.set_yticks(places, [self.fonts.show(bar.name) for bar in self.bars])
        axes.invert_yaxis()
        known = [(at, bar.chance) for at, bar in enumerate(self.bars) if bar.chance is not None]
        for at, chance in known:
            axes.plot([chance, chance], [at - 0.42, at + 0.42], color=COLOURS[1], linewidth=2.2)
        axes.margins(x=0.12)
        axes.set_title(self.fonts.show(self.title), loc="left", fontsize=11)
        if known:
            axes.set_xlabel("orange: chance, the best constant answer", fontsize=8, color="0.4", loc="left")
        axes.grid(True, axis="x", color="0.9")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        for text in figure.findobj(lambda one: hasattr(one, "set_parse_math")):
            text.set_parse_math(False)  # type: ignore[attr-defined]

    def text(self) -> str:
        """Lines of the same; a bar stands for chance."""
        reach = [abs(v) for bar in self.bars for v in (bar.value, bar.chance) if v is not None]
        most = max(reach, default=0.0) or 1.0
        left = max(width(clean(bar.name)) for bar in self.bars)
        lines = [clean(self.title)]
        for bar in self.bars:
            long = round(abs(bar.value) / most * ROOM)
            drawn = list("█" * long + " " * (ROOM + 1 - long))
            if bar.chance is not None:
                drawn[round(abs(bar.chance) / most * ROOM)] = "│"
            lines.append(f"{pad(clean(bar.name), left)}  {''.join(drawn)}  {number(bar.value, 3)}")
        if any(bar.chance is not None for bar in self.bars):
            lines.append(f"{'':{left}}  │ chance: the best constant answer")
        return "\n".join(lines)
