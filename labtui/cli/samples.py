"""Samples of a data set as lines of text."""

from __future__ import annotations

from typing import Any

from labtui.cells import clean, pad
from labtui.chart import spark

_SHADES = " ░▒▓█"
_SMALL = 16


def picture(examples: list[dict[str, Any]], shape: list[int]) -> str:
    """The samples: small images as shaded cells side by side, signals as spark lines.

    Args:
        examples: class, sample number and values (at most 120) of each.
        shape: of a stored sample.
    """
    if len(shape) == 3 and max(shape[1:]) <= _SMALL:
        return _images(examples, shape[1], shape[2])
    lines = []
    for example in examples:
        values = example["values"]
        label = pad(clean(f"{example['class']} #{example['sample']}"), 20)
        lines.append(f"{label} {spark(values, 60)}  {min(values):.3g} … {max(values):.3g}")
    return "\n".join(lines) + "\n"


def _images(examples: list[dict[str, Any]], height: int, width: int) -> str:
    lines = []
    for label in dict.fromkeys(example["class"] for example in examples):
        row = [example["values"] for example in examples if example["class"] == label]
        lines.append(clean(f"class {label}"))
        for y in range(height):
            cells = (_shades(values[y * width : (y + 1) * width], max(values)) for values in row)
            lines.append("   ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _shades(values: list[float], top: float) -> str:
    # Two cells a pixel: a terminal's cell is twice as high as wide.
    steps = len(_SHADES) - 1
    return "".join(_SHADES[min(steps, max(0, round(v / (top or 1) * steps)))] * 2 for v in values)
