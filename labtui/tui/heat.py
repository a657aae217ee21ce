"""A confusion matrix as rows: a heat map where there is room, else shades, else the commonest mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from textual.color import Color, ColorParseError

from labtui.cells import clean, fit, pad, width
from labtui.confusion import Confusion
from labtui.rows import Row

RIGHT, WRONG = "#0072b2", "#d55e00"
"""Of the diagonal, and of mistakes: told apart with every kind of colour vision."""
STEPS = 8
"""Shades of a colour: few, so that a picture has few styles."""
SHADES = " ░▒▓█"
MISTAKES = 12
LABEL = 18
"""Cells of a class's name at most."""


@dataclass(frozen=True)
class Shade:
    """How a share is coloured.

    Args:
        ground: the colour of the screen, "#rrggbb"; empty: there are no colours, signs stand for them.
        ink: of text on it.
    """

    ground: str = ""
    ink: str = ""

    @classmethod
    def of(cls, background: str, foreground: str, colored: bool) -> Shade:
        """With colours of the theme; without any where those are the terminal's own."""
        try:
            ground, ink = Color.parse(background), Color.parse(foreground)
        except ColorParseError:
            return cls()
        if not colored or ground.ansi is not None or ink.ansi is not None:
            return cls()
        return cls(ground.hex6, ink.hex6)

    def style(self, share: float, right: bool) -> str:
        """The style of a cell that holds so much of its row."""
        if not self.ground or share <= 0:
            return "dim" if share <= 0 else "bold" if right else ""
        part = (1 + min(int((share if right else math.sqrt(share)) * STEPS), STEPS - 1)) / STEPS
        back = Color.parse(self.ground).blend(Color.parse(RIGHT if right else WRONG), part)
        return f"{back.get_contrast_text(1.0).hex6} on {back.hex6}"

    def sign(self, share: float) -> str:
        """What stands for the colour where there is none."""
        if self.ground or share <= 0:
            return " "
        return SHADES[1 + min(int(share * 4), 3)]


def matrix_rows(found: Confusion, room: int, shares: bool, shade: Shade) -> list[Row]:
    """The matrix for so many cells of width.

    Args:
        shares: percents of each row instead of counts.
    """
    matrix = found.matrix or ()
    if not matrix:
        return []
    if 2 * len(matrix) > room:  # a thousand classes are a million texts
        return []
    totals = [sum(row) for row in matrix]
    texts = [[_text(n, t, shares) for n in row] for row, t in zip(matrix, totals, strict=True)]
    names = [clean(name) for name in found.names]
    numbered = any(width(name) > 6 for name in names)
    labels = [f"{number:>{len(str(len(names) - 1))}} {name}" for number, name in enumerate(names)]
    heads = [str(number) for number in range(len(names))] if numbered else names
    label = min(max(width(name) for name in (labels if numbered else names)), LABEL)
    cell = 2 + max(width(text) for line in [*texts, heads] for text in line)
    if label + 1 + cell * len(names) > room:
        cell = 2
        texts = [["  "] * len(names)] * len(names)
        heads = [""] * len(names)
        if label + 1 + cell * len(names) > room:
            return []
    rows: list[Row] = []
    if any(heads):
        rows.append(
            [(" " * (label + 1), ""), ("".join(pad(head, cell - 1, "right") + " " for head in heads), "dim")]
        )
    for place, (line, counts, total) in enumerate(zip(texts, matrix, totals, strict=True)):
        row: Row = [(pad((labels if numbered else names)[place], label) + " ", "")]
        for said, (text, count) in enumerate(zip(line, counts, strict=True)):
            share = count / total if total else 0.0
            sign = shade.sign(share)
            shown = pad(text, cell - 1, "right") + sign if text.strip() else (sign * cell)
            row.append((shown, shade.style(share, said == place)))
        rows.append(row)
    return rows


def _text(count: int, total: int, shares: bool) -> str:
    if not count:
        return "·"
    return f"{100 * count / total:.0f}" if shares else str(count)


def mistake_rows(found: Confusion, room: int) -> list[Row]:
    """The commonest mistakes, a line each."""
    names: Sequence[str] = [clean(name) for name in found.names]
    shown = found.mistakes[:MISTAKES]
    if not shown:
        return []
    totals = [sum(row) for row in found.matrix or ()]
    most = len(str(shown[0][0]))
    rows: list[Row] = []
    for count, truth, said in shown:
        words = f"{fit(names[truth], (room - 24) // 2)} taken for {fit(names[said], (room - 24) // 2)}"
        share = f"{100 * count / totals[truth]:.0f} %"
        rows.append([(f"{count:>{most}} ", "warn"), (f"{share:>5}  ", "dim"), (words, "")])
    if (rest := len(found.mistakes) - len(shown)) > 0:
        rows.append([(f"and {rest} other kinds of mistakes", "dim")])
    return rows
