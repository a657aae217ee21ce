"""Text tables for the command line, and numbers, times and sizes as people read them.

Data is data: in no format can a cell break its row, hide text or send a code to the terminal.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any, Literal

from labtui.axis import short_exponent
from labtui.cells import ELLIPSIS, clean, pad, width
from labtui.files.atomic import finite

__all__ = ["age", "cell", "clean", "duration", "markdown", "moment", "number", "render", "size"]

Format = Literal["table", "json", "csv", "md"]
Align = Literal["left", "right", "center"]

NOTHING = "–"
GAP = 2
NARROW = 6
"""A column is not cut below this many cells; columns that then do not fit are left out."""


def render(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, align: Sequence[Align] | None = None,
    width: int | None = None, format: Format = "table",
) -> str:  # fmt: skip
    """Rows under named columns as text that ends with a newline.

    Args:
        columns: their names; in JSON the keys.
        rows: values of any kind, as many as there are columns.
        align: of each column in "table" and "md"; absent: numbers right, all else left.
        width: cells of the terminal ("table" only): the widest columns are cut to fit, the last
            ones left out where even that is not enough, and the header then ends with "…".
        format: "table"; "json", one object a row, NaN and infinite as null; "csv" as RFC 4180
            says, numbers in full; "md", a GitHub table.
    """
    if format == "json":
        return _json(columns, rows)
    if format == "csv":
        return _csv(columns, rows)
    sides = list(align) if align else [_side([row[i] for row in rows]) for i in range(len(columns))]
    if format == "md":
        return _md(columns, rows, sides)
    return _table(columns, rows, sides, width)


def cell(value: Any) -> str:
    """A value as one harmless line: floats short, nothing as a dash, lists with commas."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(cell, value))
    return clean(value if isinstance(value, str) else str(value))


def _side(values: list[Any]) -> Align:
    known = [v for v in values if v is not None]
    numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in known]
    return "right" if known and all(numbers) else "left"


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], sides: list[Align], total: int | None
) -> str:
    if not columns:
        return ""
    texts = [[clean(c) for c in columns], *([cell(v) for v in row] for row in rows)]
    widths = [max(width(row[i]) for row in texts) for i in range(len(columns))]
    kept = len(columns)
    if total is not None:
        kept = _shrink(widths, total)
    if kept < len(columns) and texts[0][kept - 1]:
        texts[0][kept - 1] = pad(texts[0][kept - 1] + " ", widths[kept - 1] - 1) + ELLIPSIS
    gap = " " * GAP
    lines = [
        gap.join(pad(t, w, s) for t, w, s in zip(row[:kept], widths[:kept], sides[:kept], strict=True))
        for row in texts
    ]
    lines.insert(1, gap.join("─" * w for w in widths[:kept]))
    return "\n".join(lines) + "\n"


def without_spare(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], total: int, spare: Sequence[str]
) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows without as many of the spare columns as it takes to fit into `total` cells."""
    widths = {
        name: max([width(name), *(width(cell(row[i])) for row in rows)]) for i, name in enumerate(columns)
    }
    kept = list(columns)
    for name in spare:
        if sum(widths[k] + GAP for k in kept) - GAP > total and name in kept:
            kept.remove(name)
    places = [list(columns).index(name) for name in kept]
    return kept, [[row[place] for place in places] for row in rows]


def _shrink(widths: list[int], total: int) -> int:
    """Cut the widest columns until the row fits into `total` cells; how many columns are kept."""
    kept = len(widths)
    while kept > 1 and sum(min(w, NARROW) + GAP for w in widths[:kept]) - GAP > total:
        kept -= 1
    excess = sum(widths[:kept]) + GAP * (kept - 1) - total
    while excess > 0:
        widest = max(range(kept), key=widths.__getitem__)
        if widths[widest] <= 1:
            break
        rest = max((w for i, w in enumerate(widths[:kept]) if i != widest), default=0)
        cut = min(excess, max(1, widths[widest] - max(rest, NARROW)), widths[widest] - 1)
        widths[widest] -= cut
        excess -= cut
    return kept


def _json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A JSON array with one object a line."""
    lines = [_json_text(dict(zip(columns, row, strict=True))) for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"


def _json_text(value: Any) -> str:
    import orjson

    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # integers beyond 64 bits, half surrogates from file names
        return json.dumps(finite(value), default=str)


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    plain = (list, tuple, dict, set, frozenset)
    for row in rows:
        texts = ["" if v is None else _json_text(v) if isinstance(v, plain) else v for v in row]
        writer.writerow(texts)
    return out.getvalue()


_MARKDOWN = str.maketrans({c: "\\" + c for c in "\\`*_[]<>|~#&$"})


def markdown(text: str) -> str:
    """Text as it is, inside markdown: nothing in it is formatting, HTML or a new table cell."""
    lines = [clean(line).translate(_MARKDOWN) for line in text.splitlines()]
    return "<br>".join(lines)


def _md(columns: Sequence[str], rows: Sequence[Sequence[Any]], sides: list[Align]) -> str:
    def text(value: Any) -> str:
        return markdown(value) if isinstance(value, str) else markdown(cell(value))

    rule = {"left": "---", "right": "--:", "center": ":-:"}
    lines = [[text(c) for c in columns], [rule[s] for s in sides]]
    lines += [[text(v) for v in row] for row in rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def number(value: float | None, digits: int = 4) -> str:
    """A number with at least so many significant digits where it needs them; integers in full."""
    if value is None:
        return NOTHING
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return str(float(value))
    if value == 0 or 1e-4 <= abs(value) < 10 ** max(digits + 2, 6):
        before = math.floor(math.log10(abs(value))) if value else 0
        text = f"{value:z.{max(digits - 1 - before, 0)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return short_exponent(f"{mantissa.rstrip('0').rstrip('.')}e{exponent}")


def duration(seconds: float | None) -> str:
    """A length of time in its two largest units: `0.42s`, `12.3s`, `4m05s`, `2h03m`, `3d04h`."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < 59.95:
        return f"{seconds:.2f}s" if seconds < 9.995 else f"{seconds:.1f}s"
    whole = round(seconds)
    for unit, small, names in ((60, 1, "ms"), (3600, 60, "hm"), (86400, 3600, "dh")):
        if whole < unit * (24 if unit == 3600 else 60) or unit == 86400:
            return f"{whole // unit}{names[0]}{whole % unit // small:02d}{names[1]}"
    raise AssertionError("a day holds every longer time")


def age(seconds: float | None) -> str:
    """How long ago, in one unit and at most four cells: `now`, `42s`, `5m`, `3h`, `9d`, `7w`, `2y`."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 1:
        return "now"
    units = ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h"), (14 * 86400, 86400, "d"),
             (365 * 86400, 7 * 86400, "w"))  # fmt: skip
    for below, unit, name in units:
        if seconds < below:
            return f"{int(seconds // unit)}{name}"
    return f"{int(seconds // (365 * 86400))}y"


def moment(stamp: Any) -> str:
    """A unix time as local date and minute; a dash for what is none."""
    import time

    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(stamp))
    except (TypeError, ValueError, OverflowError, OSError):
        return NOTHING


def size(count: float | None) -> str:
    """Bytes in the largest binary unit: `812 B`, `1.5 KiB`, `3.2 GiB`."""
    if count is None or not math.isfinite(count):
        return NOTHING
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(count) < 1024 or unit == "TiB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
