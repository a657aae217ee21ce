"""Axes for a terminal: limits that grow in jumps, round ticks, short labels. Plain numbers only."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import pairwise

Range = tuple[float, float]
Ticks = Callable[[float, float, int], tuple[list[float], list[str]]]
"""From, to and how many at most, to places and their texts."""

HUGE = 1e307
"""Axes end here: spans and steps beyond overflow."""


def _step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that cuts `span` into at most `most` parts."""
    rough = span / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 1e-300 else rough
    return next((m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9)), rough)


def _widened(lo: float, hi: float) -> Range:
    """The range, opened where it is empty or too narrow for floats to tell its ends apart."""
    lo, hi = max(-HUGE, min(lo, HUGE)), max(-HUGE, min(hi, HUGE))
    size = max(abs(lo), abs(hi))
    if hi - lo <= size * 1e-9 or hi - lo < 1e-300:
        room = size * 0.1 or 1.0
        return max(lo - room, -HUGE), min(hi + room, HUGE)
    return lo, hi


def nice_limits(lo: float, hi: float, previous: Range | None = None) -> Range:
    """Round limits around finite data; the previous ones as long as the data fills them well.

    A live chart then redraws its axes only when the data leaves them or shrinks below a third.
    """
    lo, hi = _widened(min(lo, hi), max(lo, hi))
    if previous is not None:
        inside = previous[0] <= lo and hi <= previous[1]
        if inside and hi - lo >= (previous[1] - previous[0]) / 3:
            return previous
    step = _step(hi - lo, 8)
    low, high = math.floor(lo / step + 1e-9) * step, math.ceil(hi / step - 1e-9) * step
    return max(low, -HUGE), min(high, HUGE)


def ticks(lo: float, hi: float, most: int) -> list[float]:
    """At most `most` round numbers from lo to hi, both included where they are round."""
    if most < 1 or not hi > lo:
        return []
    step = _step(hi - lo, most)
    found: list[float] = []
    while not found or len(found) > most:
        first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
        found = [k * step for k in range(first, last + 1)]
        if not found:
            return []
        step = _step(step * 1.5, 1)
    return found


def log_ticks(lo: float, hi: float, most: int) -> list[float]:
    """Ticks of a logarithmic axis from 10^lo to 10^hi, as exponents: decades, or parts of one."""
    decades = [float(k) for k in range(math.ceil(lo - 1e-9), math.floor(hi + 1e-9) + 1)]
    if len(decades) > most > 0:
        return decades[:: math.ceil(len(decades) / most)]
    if len(decades) >= 2:
        return decades
    start = math.floor(lo)
    parts = [start + k + math.log10(m) for k in range(3) for m in (1, 2, 5)]
    return [p for p in parts if lo - 1e-9 <= p <= hi + 1e-9][: max(most, 0)]


def labels(values: list[float]) -> list[str]:
    """The ticks as text, all with the same number of decimals or all with an exponent."""
    if not values:
        return []
    size = max(abs(v) for v in values)
    gap = min((abs(b - a) for a, b in pairwise(values)), default=size)
    if size == 0:
        return ["0"] * len(values)
    decimals = max(0, -math.floor(math.log10(gap) + 1e-9)) if gap else 0
    if 1e-4 < size < 1e7 and decimals <= 8:
        fixed = [f"{v:.{decimals}f}" for v in values]
        return [t.removeprefix("-") if float(t) == 0 else t for t in fixed]
    digits = max(0, math.floor(math.log10(size)) - math.floor(math.log10(gap) + 1e-9)) if gap else 1
    return [short_exponent(f"{v:.{min(digits, 12)}e}") if v else "0" for v in values]


def short_exponent(text: str) -> str:
    """`1.5e-07` as `1.5e-7`."""
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else text


def number_ticks(lo: float, hi: float, most: int) -> tuple[list[float], list[str]]:
    """Round numbers."""
    found = ticks(lo, hi, most)
    return found, labels(found)


DAY = 86400
_SPANS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    *(days * DAY for days in (1, 2, 7, 14, 30, 60, 180, 365)),
)  # fmt: skip
"""Seconds between two ticks of an axis of times."""


def time_ticks(lo: float, hi: float, most: int) -> tuple[list[float], list[str]]:
    """Seconds since a start, at round minutes, hours or days."""
    step = _span(hi - lo, most)
    if step < 1:
        found = ticks(lo, hi, most)
        return found, [f"{text}s" if text.strip("0.") else "0" for text in labels(found)]
    found = _multiples(lo, hi, step, 0.0)
    return found, [elapsed(value) for value in found]


def clock_ticks(origin: float) -> Ticks:
    """Ticks in local time for seconds since `origin` (unix seconds): hours and minutes, or dates."""

    def found(lo: float, hi: float, most: int) -> tuple[list[float], list[str]]:
        step = max(_span(hi - lo, most), 1.0)
        try:
            shift = time.localtime(origin + lo).tm_gmtoff
            places = _multiples(lo, hi, step, -(origin + shift) % step)
            return places, [clock(origin + place, step) for place in places]
        except (OverflowError, ValueError, OSError):  # no year that people count
            return number_ticks(lo, hi, most)

    return found


def _span(span: float, most: int) -> float:
    """The smallest time between ticks of which at most `most` fit; below a second 0."""
    rough = span / max(most, 1)
    if rough <= 0.5:
        return 0.0
    return next((float(one) for one in _SPANS if one >= rough), 365.0 * DAY * math.ceil(rough / (365 * DAY)))


def _multiples(lo: float, hi: float, step: float, first: float) -> list[float]:
    start, end = math.ceil((lo - first) / step - 1e-9), math.floor((hi - first) / step + 1e-9)
    return [first + k * step for k in range(start, end + 1)]


def elapsed(seconds: float) -> str:
    """A duration in its two largest units: `45s`, `1h30m`, `2d`."""
    left = abs(round(seconds))
    if not left:
        return "0"
    parts = []
    for size, unit in ((DAY, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, size)
        parts.append(f"{count}{unit}" if count else "")
    first = next(number for number, part in enumerate(parts) if part)
    return ("-" if seconds < 0 else "") + "".join(parts[first : first + 2])


def clock(moment: float, step: float = 1.0) -> str:
    """Unix seconds in local time, as finely as ticks `step` seconds apart need it."""
    local = time.localtime(round(moment))
    if step >= DAY or (local.tm_hour, local.tm_min, local.tm_sec) == (0, 0, 0):
        return time.strftime("%d %b", local)
    return time.strftime("%H:%M" if step >= 60 else "%H:%M:%S", local)


def short(value: float) -> str:
    """A value in four digits."""
    text = f"{value:#.4g}"
    return short_exponent(text) if "e" in text else text.removesuffix(".")
