"""Samples of a data set as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labtui.cells import clean, pad
from labtui.chart import spark

_SHADES = " ░▒▓█"
_COLUMNS = 78
"""Of a line."""


def picture(examples: list[dict[str, Any]]) -> str:
    """The samples: images, and frames of videos, as shaded cells side by side, signals as spark lines.

    Args:
        examples: class and sample number of each, and its `pictures` in rows of cells from 0 to 1, or its
            `values` (at most 120).
    """
    lines = []
    for label in dict.fromkeys(example["class"] for example in examples):
        own = [example for example in examples if example["class"] == label]
        pictures = [picture for example in own for picture in example.get("pictures", ())]
        if pictures:
            lines += [clean(f"class {label}"), *_beside(pictures)]
        for example in own:
            if values := example.get("values"):
                name = pad(clean(f"{label} #{example['sample']}"), 20)
                lines.append(f"{name} {spark(values, 60)}  {min(values):.3g} … {max(values):.3g}")
    return "\n".join(lines) + "\n"


def _beside(pictures: list[list[list[float]]]) -> Iterator[str]:
    """As many of the pictures, which are equally large, as there is room for."""
    room = max(1, (_COLUMNS + 3) // (len(pictures[0][0]) + 3))
    for rows in zip(*pictures[:room], strict=True):
        yield "   ".join("".join(map(_shade, row)) for row in rows).rstrip()


def _shade(value: float) -> str:
    return _SHADES[round(value * (len(_SHADES) - 1))]
