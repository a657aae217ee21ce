"""What drawings of an analysis share, in terminals and in pictures: names, ticks, colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labtui import axis
from labtui.cells import ELLIPSIS, clean, fit
from labtui.cells import width as width_of
from labtui.files.toml import short_keys
from labtui.query.parameters import FEW, MISSING, Floats, Parameter, short
from labtui.rows import Row

RAMP = ("#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725")
"""Worst to best: viridis, which grows lighter evenly and is read with every kind of colour vision; without
its darkest part, which a dark terminal hides."""
LESS, MORE = "#e69f00", "#56b4e9"
"""Colours of negative and positive correlations."""
LEVEL = 0.05
"""p from which on a correlation is dimmed."""
SHADES, ASCII_SHADES = "·░▒▓█", ".:+%#"
"""Little to much where there is no colour."""
SLOT = 0.14
"""Part of an axis that is for cells without the key."""


@dataclass(frozen=True)
class Look:
    """What a terminal can show."""

    width: int
    """Cells of a row."""
    colored: bool = True
    ascii: bool = False
    keys: str = "--keys"
    """With what other keys are chosen."""
    whole: str = "a picture (-o FILE.png)"
    """What shows all where there is no room."""

    @property
    def ellipsis(self) -> str:
        """The end of a text that was cut."""
        return "~" if self.ascii else ELLIPSIS

    def line(self, pieces: Row) -> Row:
        """Pieces cut, and filled, to the width; without colour where there is none."""
        out: Row = []
        left = self.width
        for text, style in pieces:
            cut = fit(text, left, self.ellipsis)
            out.append((cut, style if self.colored or not style.startswith("#") else ""))
            left -= width_of(cut)
            if cut != text or left <= 0:
                break
        return [*out, (" " * left, "")] if left > 0 else out

    def shade(self, part: float) -> tuple[str, str]:
        """A sign and a colour for 0 (worst) to 1 (best); a dot for NaN."""
        if math.isnan(part):
            return " ", ""
        signs = ASCII_SHADES if self.ascii else SHADES
        step = min(int(part * len(RAMP)), len(RAMP) - 1)
        if not self.colored:
            return signs[min(int(part * len(signs)), len(signs) - 1)], ""
        return "#" if self.ascii else "█", RAMP[step]


def short_names(names: Sequence[str]) -> list[str]:
    """Dotted keys by their last parts, as text."""
    return [clean(name) for name in short_keys(names)]


def positions(one: Parameter, places: Floats) -> Floats:
    """Places on an axis, 0 to 1, that has a slot at its beginning for cells without the key, if any are."""
    if not one.missing:
        return places
    return np.where(np.isnan(places), 0.0, SLOT + (1 - SLOT) * places)


def ticks(one: Parameter, most: int) -> list[tuple[float, str]]:
    """At most `most` values (>= 2) of a key in words, with their positions, from 0 to 1 upwards."""
    room = most - bool(one.missing)
    if one.kind == "category" or one.distinct.size <= min(FEW, room):
        kept = one.distinct
        if kept.size > room:
            kept = kept[np.linspace(0, kept.size - 1, max(room, 1)).round().astype(np.intp)]
        values, texts = np.log10(kept) if one.log else kept, [one.label(v) for v in kept.tolist()]
    elif one.log:
        values = np.array(axis.log_ticks(*one.span, room))
        texts = [short(10.0**v) for v in values.tolist()]
    else:
        found = axis.ticks(*one.span, room)
        values, texts = np.array(found), axis.labels(found)
    marks = positions(one, one.place(values)).tolist() if values.size else []
    slot = [(0.0, MISSING)] if one.missing else []
    return slot + [
        (mark, clean(text)) for mark, text in zip(marks, texts, strict=True) if -1e-9 <= mark <= 1 + 1e-9
    ]


def figures(values: Floats) -> list[str]:
    """Numbers with as many decimals as tell them apart, three digits of their spread."""
    known = values[np.isfinite(values)]
    if not known.size:
        return [""] * values.size
    size = float(np.abs(known).max())
    spread = float(known.max() / 2 - known.min() / 2) * 2 or size
    if size >= 1e5 or 0 < size < 1e-3:
        texts = [f"{v:.1e}" for v in values.tolist()]
        return [axis.short_exponent(t) if t != "nan" else "" for t in texts]
    decimals = min(max(2 - math.floor(math.log10(spread)), 0), 5) if spread else 0
    return ["" if math.isnan(v) else f"{v:.{decimals}f}" for v in values.tolist()]


def standing(values: Floats, goal: str | None) -> Floats:
    """Values as parts of their range, 0 the worst and 1 the best; NaN stays."""
    known = values[np.isfinite(values)]
    if not known.size:
        return values
    low, high = float(known.min()), float(known.max())
    if not high / 2 - low / 2 > 0:
        return np.where(np.isfinite(values), 1.0, np.nan)
    part = (values / 2 - low / 2) / (high / 2 - low / 2)
    return np.asarray(1 - part if goal == "min" else part, np.float64)
