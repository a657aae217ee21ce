"""Sending to the terminal what changed of a line, and no more.

Textual knows which cells of a line are to be painted, and paints those before them in the same widget too
(`ChopsUpdate.render_segments`, 8.2): of a chart that moves at its right end, the whole of it, several times a
second through a thin line. This crops both ends.
"""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor


class Spans(ChopsUpdate):
    """Parts of lines."""

    def render_segments(self, console: Console) -> str:
        """What is sent for them."""
        sent: list[str] = []
        for y, start, end in self.spans:
            for stop, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                first, last = max(x, start), min(stop, end)
                if strip is not None and first < last:
                    sent.append(Control.move_to(first, y).segment.text)
                    sent.append(strip.crop(first - x, last - x).render(console))
        return "".join(sent)


class NarrowCompositor(Compositor):
    """Textual's compositor, whose partial updates are as narrow as they can be."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """What changed since the last update; None where nothing did."""
        update = super().render_partial_update()
        return Spans(update.chops, update.spans, update.chop_ends) if update else None
