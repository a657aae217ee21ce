"""A confusion matrix as a picture: the same input gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labtui.report.figure import saved
from labtui.report.fonts import Fonts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COUNTED = 20
"""Classes up to which each cell has its count."""
NAMED = 40
"""Classes up to which each is named."""


@dataclass(frozen=True, eq=False)
class Heat:
    """Counts of a matrix, each row's cells coloured by their share of the row.

    Args:
        names: (n,) of the classes.
        counts: (n, n), no count below 0.
        rows: what its rows are: truth, teacher.
        columns: what its columns are.
    """

    names: Sequence[str]
    counts: NDArray[np.float64]
    rows: str
    columns: str

    @property
    def shares(self) -> NDArray[np.float64]:
        """(n, n) of each row's sum; NaN in a row without a sample."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.counts / self.counts.sum(1, keepdims=True))

    @cached_property
    def fonts(self) -> Fonts:
        """The letters of the names."""
        return Fonts(dict.fromkeys(self.names), "class")

    def picture(self, format: str = "png") -> bytes:
        """The picture, as PNG or SVG."""
        side = 2.4 + min(max(0.42 * len(self.names), 1.6), 7.0)
        return saved(self._fill, self.fonts.families, (side + 0.8, side), format)

    def _fill(self, figure: Figure) -> None:
        axes, n = figure.add_subplot(), len(self.names)
        shares = self.shares
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        figure.colorbar(image, ax=axes, shrink=0.8, label="share of the row")
        if n <= COUNTED:
            for y, x in np.ndindex(n, n):
                ink = "white" if shares[y, x] > 0.55 else "black" if self.counts[y, x] else "0.75"
                axes.text(x, y, f"{self.counts[y, x]:.0f}", ha="center", va="center", fontsize=8, color=ink)
        if n <= NAMED:
            shown = [self.fonts.show(name) for name in self.names]
            axes.set_xticks(range(n), shown, rotation=90, fontsize=8, parse_math=False)
            axes.set_yticks(range(n), shown, fontsize=8, parse_math=False)
        axes.set_xlabel(self.columns)
        axes.set_ylabel(self.rows)
