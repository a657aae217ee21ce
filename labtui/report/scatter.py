"""Points of a plane, a colour and a sign a class, as pictures: the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labtui.report.figure import saved
from labtui.report.fonts import Fonts
from labtui.report.picture import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIGNS = "o^sxD"
"""With COLOURS, as many classes as can be told apart."""
NAMED = 35
"""Classes up to which each is in the legend."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """One pair of axes."""

    title: str
    points: NDArray[np.float32]
    """(n, 2)."""
    classes: NDArray[np.int64]
    """(n,) places in the names of the classes."""


@dataclass(frozen=True, eq=False)
class Clouds:
    """Pictures of the same samples side by side.

    Args:
        clouds: one or more.
        names: of the classes.
    """

    clouds: Sequence[Cloud]
    names: Sequence[str]

    @cached_property
    def fonts(self) -> Fonts:
        """The letters of the names."""
        return Fonts(dict.fromkeys(self.names), "class")

    def picture(self, format: str = "png") -> bytes:
        """The picture, as PNG or SVG."""
        return saved(self._fill, self.fonts.families, (4.6 * len(self.clouds), 4.6), format)

    def _fill(self, figure: Figure) -> None:
        handles: dict[int, Any] = {}
        for number, cloud in enumerate(self.clouds, 1):
            handles |= self._draw(figure.add_subplot(1, len(self.clouds), number), cloud)
        if len(handles) <= NAMED:
            known = sorted(handles)
            legend = figure.legend(
                [handles[one] for one in known],
                [str(one) for one in known],
                loc="outside lower center",
                ncols=5,
                frameon=False,
                fontsize=8,
            )
            for text, one in zip(legend.get_texts(), known, strict=True):
                text.set_parse_math(False)
                text.set_text(self.fonts.show(self.names[one]))

    def _draw(self, axes: Axes, cloud: Cloud) -> dict[int, Any]:
        """Handle of each class that has points."""
        handles = {}
        for one in np.unique(cloud.classes).tolist():
            own = cloud.points[cloud.classes == one]
            sign = SIGNS[one // len(COLOURS) % len(SIGNS)]
            colour = COLOURS[one % len(COLOURS)]
            (handles[one],) = axes.plot(
                *own.T, linestyle="", marker=sign, markersize=3.5, color=colour, alpha=0.8
            )
        axes.set_title(cloud.title, loc="left", fontsize=11)
        axes.set_xticks([])
        axes.set_yticks([])
        return handles
