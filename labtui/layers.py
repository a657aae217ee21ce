"""A model's layers as a table of text, in the form of torchsummary's."""

from __future__ import annotations

import math
from typing import Any

from labtui.cells import clean, pad, width
from labtui.table import number

FLOAT = 4
"""Bytes of one number."""
DEEPEST = 40
"""How deep layers are shown to lie in each other."""


def layer_lines(layers: dict[str, Any], shape: Any = None) -> list[str]:
    """Layers with output shapes and parameters; totals and sizes.

    Args:
        layers: the artifact `layers`.
        shape: of a sample; None: not known.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, OverflowError: it has another form.
    """
    rows = [_row(row) for row in layers["rows"]]
    table, totals, sizes = _table(rows), _totals(layers), _sizes(layers, rows, shape)
    return [*table, *totals, table[0], *sizes, table[0]]


def layer_rows(layers: dict[str, Any]) -> list[tuple[str, str, int]]:
    """The same layers as (name and type, output shape, parameters), each under its full name.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, OverflowError: it has another form.
    """
    path: list[str] = []
    found = []
    for row in layers["rows"]:
        depth, label, output, params = _row(row)
        del path[max(depth - 1, 0) :]
        whole = ".".join([*path, label])
        if depth:
            path.append(str(row["name"]))
        found.append((whole, _shape(label, output), params))
    return found


def _row(row: dict[str, Any]) -> tuple[int, str, list[int], int]:
    """Depth, label, output shape and own parameters of a layer."""
    kind, name = str(row["type"]), str(row["name"])
    label = kind if name == kind else f"{name} ({kind})"
    return min(int(row["depth"]), DEEPEST), label, [int(n) for n in row["output"]], int(row["params"])


def _table(rows: list[tuple[int, str, list[int], int]]) -> list[str]:
    cells = [
        (
            "  " * depth + clean(label),
            _shape(label, output),
            f"{params:,}",
        )
        for depth, label, output, params in rows
    ]
    cells.insert(0, ("Layer (type)", "Output Shape", "Param #"))
    first, second, third = (max(width(row[i]) for row in cells) for i in range(3))
    lines = [
        pad(a, first) + "   " + pad(b, second, "right") + "   " + pad(c, third, "right") for a, b, c in cells
    ]
    total = first + second + third + 6
    return ["-" * total, lines[0], "=" * total, *lines[1:], "=" * total]


def _shape(label: str, output: list[int]) -> str:
    """What a layer gives; a list of layers has no output of its own."""
    return "–" if "(Module" in label else str([-1, *output])


def _totals(layers: dict[str, Any]) -> list[str]:
    total, trainable = int(layers["parameters"]), int(layers["trainable"])
    return [
        f"Total params: {total:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {total - trainable:,}",
    ]


def _sizes(layers: dict[str, Any], rows: list[tuple[int, str, list[int], int]], shape: Any) -> list[str]:
    """Memory of one sample's way through the model, in single precision."""
    depths = [row[0] for row in rows] + [0]
    leaves = [row for row, after in zip(rows, depths[1:], strict=True) if after <= row[0]]
    # As torchsummary: each output once for its values, once for its gradient.
    passes = 2 * FLOAT * sum(math.prod(row[2]) for row in leaves)
    params = FLOAT * int(layers["parameters"])
    try:
        given = FLOAT * math.prod(int(n) for n in shape)
    except (TypeError, ValueError):
        return [_megabytes("Params size", params)]
    return [
        _megabytes("Input size", given),
        _megabytes("Forward/backward pass size", passes),
        _megabytes("Params size", params),
        _megabytes("Estimated total size", given + passes + params),
    ]


def _megabytes(what: str, count: int) -> str:
    """As torchsummary says it (2^20 bytes); two decimals, or more where those would be naught."""
    size = count / 2**20
    return f"{what} (MB): {size:.2f}" if size >= 0.1 or not size else f"{what} (MB): {number(size, 2)}"
