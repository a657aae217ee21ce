"""Charts: nothing lost by decimation, every row exact in width, no input breaks them."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from wcwidth import wcswidth

from labtui import axis, chart, points
from labtui.chart import Line

ANY = st.floats(width=64)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ARRAYS = hnp.arrays(np.float64, st.integers(0, 300), elements=ANY)


def plain(lines: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]


@given(hnp.arrays(np.float64, st.integers(1, 400), elements=FINITE), st.integers(1, 50))
def test_decimation_keeps_every_columns_extremes(y, columns):
    x = np.arange(y.size, dtype=np.float64)
    px, py = chart.decimate(x, y, columns)
    assert px.size <= max(2 * columns + 2, y.size if y.size <= 2 * columns + 2 else 0)
    assert np.all(np.diff(px) > 0) and np.array_equal(y[px.astype(int)], py)
    before, after = points.column_of(x, columns), points.column_of(px, columns)
    for column in np.unique(before):
        kept = py[after == column]
        assert kept.min() == y[before == column].min()
        assert kept.max() == y[before == column].max()


@given(ARRAYS, st.integers(1, 20))
def test_decimation_takes_any_order_and_drops_what_is_not_finite(values, columns):
    half = values.size // 2
    px, py = chart.decimate(values[:half], values[half : 2 * half], columns)
    assert np.isfinite(px).all() and np.isfinite(py).all() and np.all(px[1:] >= px[:-1])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=12), ARRAYS), max_size=4),
    st.integers(1, 90),
    st.integers(1, 20),
    st.booleans(),
    st.booleans(),
    st.text(max_size=20),
)
def test_every_chart_has_exactly_its_size(data, width, height, ylog, ascii, title):
    lines = [Line(name, np.arange(y.size), y) for name, y in data]
    rows = chart.draw(lines, width, height, title=title, xlabel="步", ylog=ylog, ascii=ascii)
    assert len(rows) == height
    assert [wcswidth(row) for row in rows] == [width] * height


@pytest.mark.parametrize("width, height", [(10, 4), (1, 1), (3, 2), (80, 24), (2, 50)])
@pytest.mark.parametrize(
    "y",
    [[], [1.0], [7.0] * 9, [np.nan] * 9, [1, np.nan, np.inf, -np.inf, 2], [1e300, -1e300, 0],
     [1.7e308, -1.7e308], [5e-324, 0.0], [1e16, 1e16 + 2]],
)  # fmt: skip
@pytest.mark.parametrize("ylog", [False, True])
def test_no_values_break_a_chart(y, width, height, ylog):
    rows = chart.draw([Line("损失", range(len(y)), y)], width, height, title="训练", ylog=ylog)
    assert [wcswidth(row) for row in rows] == [width] * height


def test_what_is_not_finite_is_marked_where_it_happened():
    y = np.ones(11)
    y[5] = np.nan
    rows = chart.draw([Line("a", range(11), y)], 41, 8)
    ticks = rows[-2]
    assert ticks.count("x") == 1
    assert abs(ticks.index("x") - (ticks.index("└") + len(ticks)) // 2) <= 1
    only = chart.draw([Line("a", [100, 200], [np.nan, np.nan])], 41, 8)
    assert only[-2].count("x") == 2 and "200" in only[-1]


def test_lines_differ_by_colour_or_by_marker():
    lines = [Line("a", range(9), range(9)), Line("b", range(9), range(9, 0, -1))]
    none = chart.draw(lines, 40, 10, color="none")
    assert not any("\x1b" in row for row in none)
    assert "* a" in none[0] and "+ b" in none[0] and any("+" in row for row in none[1:-2])
    for color, code in (("true", "38;2;86;180;233"), ("256", "38;5;74"), ("16", "96")):
        colored = chart.draw(lines, 40, 10, color=color)
        assert any(code in row for row in colored[1:-2])
        assert [wcswidth(row) for row in plain(colored)] == [40] * 10
    own = chart.draw([Line("a", [1, 2], [1, 2], "#123456")], 40, 10, color="true")
    assert "38;2;18;52;86" in own[0]


def test_ascii_only_where_it_is_asked_for():
    lines = [Line("a", range(50), np.sin(np.arange(50.0)))]
    rows = chart.draw(lines, 60, 12, title="t", xlabel="step", ascii=True, color="16")
    assert "".join(rows).isascii()
    assert chart.spark([1, 2, 3], 3, ascii=True).isascii()


def test_names_are_data():
    rows = chart.draw([Line("\x1b[31m[bold]x[/]\n", [1, 2], [1, 2])], 60, 6, title="\x9b2J")
    assert not any("\x1b" in row or "\x9b" in row for row in rows)
    assert "␛[31m[bold]x[/]\\n" in rows[0]


def test_a_zoomed_chart_shows_that_part_only():
    x = np.arange(1000.0)
    zoomed = chart.draw([Line("", x, x)], 60, 12, limits=((100.0, 200.0), (100.0, 200.0)))
    assert "100" in zoomed[-1] and "200" in zoomed[-1] and "300" not in zoomed[-1]
    assert zoomed[0].rstrip()[-1] not in "│┤" and zoomed[-3][4] not in " ⠀"
    away = chart.draw([Line("", x, x)], 60, 12, limits=((5000.0, 6000.0), (0.0, 1.0)))
    assert not any(0x2800 < ord(c) < 0x2900 for c in "".join(away))


@given(FINITE, FINITE)
def test_limits_hold_the_data_and_stay_while_they_serve(a, b):
    low, high = axis.nice_limits(a, b)
    room = (high - low) * 1e-8
    assert low < high
    assert low - room <= max(min(a, b), -axis.HUGE)
    assert high + room >= min(max(a, b), axis.HUGE)
    assert axis.nice_limits(a, b, (low, high)) == (low, high)


def test_live_axes_grow_in_jumps():
    limits, changes = None, 0
    for step in range(1, 2000):
        grown = axis.nice_limits(0, step, limits)
        changes += grown != limits
        limits = grown
    assert changes <= 40
    assert axis.nice_limits(0, 1, (0, 100)) == (0, 1)


@given(FINITE, FINITE, st.integers(1, 20))
def test_ticks_are_few_inside_and_labelled_apart(a, b, most):
    low, high = axis.nice_limits(a, b)
    found = axis.ticks(low, high, most)
    assert len(found) <= most
    room = (high - low) * 1e-6 if high - low < 1e300 else 1e302
    assert all(low - room <= t <= high + room for t in found)
    assert len(axis.labels(found)) == len(found)


def test_labels_are_short():
    assert axis.labels([0.0, 0.5, 1.0]) == ["0.0", "0.5", "1.0"]
    assert axis.labels([0, 20000, 40000]) == ["0", "20000", "40000"]
    assert axis.labels([0.0, 1e-7, 2e-7]) == ["0", "1e-7", "2e-7"]
    assert axis.labels([-1e300, 0, 1e300]) == ["-1e300", "0", "1e300"]
    assert [f"{10**t:g}" for t in axis.log_ticks(-3, 0, 9)] == ["0.001", "0.01", "0.1", "1"]
    assert [f"{10**t:g}" for t in axis.log_ticks(0.1, 0.9, 9)] == ["2", "5"]


@given(ARRAYS, st.integers(0, 30), st.booleans())
def test_sparks_have_their_width(values, width, ascii):
    assert wcswidth(chart.spark(values, width, ascii)) == width


def test_spark_shows_the_shape():
    assert chart.spark([0, 1, 2, 3], 4) == "▁▃▆█"
    assert chart.spark([1, np.nan, 1], 5) == "▁x▁  "
    assert chart.spark([np.nan], 3) == "x  "


def test_threads_do_not_mix_their_charts():
    def one(number: int) -> list[str]:
        return chart.draw([Line(f"n{number}", range(50), [number] * 50)], 50, 8)

    expected = [one(n) for n in range(4)]
    wrong: list[int] = []

    def repeat(number: int) -> None:
        wrong.extend(number for _ in range(10) if one(number) != expected[number])

    threads = [threading.Thread(target=repeat, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def _lit(rows: list, left: int) -> np.ndarray:
    """Which cells of the points' part of a chart show a line."""
    cells = [[(c, style) for text, style in row for c in text][left:] for row in rows]
    return np.array([[c not in " ⠀│" and style != "dim" for c, style in row] for row in cells])


@settings(max_examples=80, deadline=None)
@given(
    hnp.arrays(np.float64, st.integers(2, 3000), elements=st.floats(-1e6, 1e6)),
    st.integers(24, 100),
    st.integers(6, 24),
    st.sampled_from([0.0, 0.6, 0.99]),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.booleans(),
)
def test_the_highest_and_the_lowest_value_are_lit(values, width, height, weight, part, ascii):
    x = np.arange(values.size, dtype=np.float64)
    low, high = sorted(part)
    shown = (low * x[-1], max(high * x[-1], low * x[-1] + 1))
    smoothed = points.ema(values, weight)
    line = Line("a", x, smoothed, raw=values if weight else None)
    inside = (x >= shown[0]) & (x <= shown[1])
    limits = (shown, chart.limits_of([line])[1])
    plot = chart.plot([line], width, height, limits=limits, ascii=ascii)
    lines = height - 1 - 2
    lit = _lit(plot.rows[1 : 1 + lines], plot.left)
    dots = (1, 1) if ascii else (2, 4)
    for y in (values, smoothed) if weight else (values,):
        for extreme in (np.argmin, np.argmax):
            if not inside.any():
                continue
            at = np.flatnonzero(inside)[extreme(y[inside])]
            column, row = (
                int(0.5 + (count * dot - 1) * (value - span[0]) / (span[1] - span[0])) // dot
                for value, span, count, dot in (
                    (x[at], shown, plot.columns, dots[0]),
                    (y[at], limits[1], lines, dots[1]),
                )
            )
            row = lines - 1 - row
            # Another point of the same value may stand for it, within rounding in the next cell.
            near = lit[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            assert near.any()
            assert lit[row].any() or lit[max(row - 1, 0) : row + 2].any()


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float64, st.integers(0, 400), elements=st.floats(-1e9, 1e9) | st.just(np.nan)),
    st.sampled_from([0.0, 0.3, 0.9, 0.995]),
)
def test_smoothing_is_that_of_adam(values, weight):
    mean, expected, count = 0.0, [], 0
    for value in values:
        if np.isnan(value):
            expected.append(value)
            continue
        count += 1
        mean = weight * mean + (1 - weight) * value
        expected.append(mean / (1 - weight**count))
    np.testing.assert_allclose(points.ema(values, weight), expected, rtol=1e-7, atol=1e-3)


def test_smoothing_begins_at_the_first_value_and_leaves_its_input_alone():
    values = np.array([5.0, np.nan, 5.0, np.inf])
    assert points.ema(values, 0.9).tolist()[0] == pytest.approx(5.0)
    assert points.ema(values, 0.9)[3] == np.inf and values[0] == 5.0


def test_the_raw_line_stands_behind_the_smoothed_one():
    y = np.tile([0.0, 1.0], 100)
    line = Line("a", np.arange(200), points.ema(y, 0.99), "#56b4e9", raw=y)
    styles = {style for row in chart.rows([line], 60, 12) for _, style in row}
    assert {"#56b4e9", "#56b4e9~"} <= styles
    painted = "".join(chart.draw([line], 60, 12, color="true"))
    assert "\x1b[2;38;2;86;180;233m" in painted


def test_a_cursor_reads_every_line_at_its_place():
    lines = [Line("a", [0, 10, 20], [1.0, 2.0, 3.0]), Line("b", [5, 15], [7.0, np.nan])]
    look = {"values": True, "limits": ((0.0, 20.0), (0.0, 8.0))}
    at = lambda cursor: "".join(t for t, _ in chart.plot(lines, 60, 10, cursor=cursor, **look).rows[0])  # noqa: E731
    assert "a 2.000" in at(10.0) and "b 7.000" in at(10.0)
    assert "a 1.000" in at(0.0) and "b -" in at(0.0)
    assert "b nan" in at(16.0) and "a 3.000" in at(None)
    rows = chart.plot(lines, 60, 10, cursor=10.0, **look).rows
    columns = {"".join(t for t, _ in row).find("│", 3) for row in rows[1:-2]}
    assert len(columns - {-1}) == 1
    assert "│" not in "".join(t for t, _ in chart.plot(lines, 60, 10, cursor=99.0, **look).rows[3])[3:]


def test_twenty_lines_are_told_apart_with_and_without_colour():
    lines = [Line(f"run {n}", [0, 1], [n, n + 1]) for n in range(20)]
    colored = chart.plot(lines, 100, 40, legend=21).rows
    assert len({style for row in colored for text, style in row if "━" in text}) == 20
    plain = chart.plot(lines, 100, 40, legend=21, colored=False).rows
    heads = "".join(t for row in plain[:21] for t, _ in row)
    assert all(f"run {n}" in heads for n in range(20))
    marks = {t.strip() for row in plain[:21] for t, _ in row if len(t.strip()) == 1 and len(t) == 2}
    assert len(marks) == 20


@given(
    st.lists(st.text(max_size=30), max_size=25), st.integers(1, 120), st.integers(1, 9), st.text(max_size=9)
)
def test_a_legend_has_exactly_its_width(names, width, most, title):
    lines = [Line(name, [0, 1], [0, n]) for n, name in enumerate(names)]
    rows = chart.plot(lines, width, 12, title=title, legend=most, values=True).rows
    assert len(rows) == 12 and {wcswidth("".join(t for t, _ in row)) for row in rows} == {width}


def test_time_axes_have_readable_ticks(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert axis.time_ticks(0, 7200, 5)[1] == ["0", "30m", "1h", "1h30m", "2h"]
        assert axis.time_ticks(0, 90, 4)[1] == ["0", "30s", "1m", "1m30s"]
        assert axis.time_ticks(0, 1, 3)[1][0] == "0" and axis.time_ticks(0, 1, 3)[1][1].endswith("s")
        assert axis.time_ticks(0, 5 * 86400, 6)[1] == ["0", "1d", "2d", "3d", "4d", "5d"]
        noon = 1_700_000_000 - 1_700_000_000 % 86400 + 6 * 3600 + 1800  # 12:00 in India
        places, texts = axis.clock_ticks(noon)(0, 4 * 3600, 5)
        assert texts == ["12:00", "13:00", "14:00", "15:00", "16:00"] and places[1] == 3600
        assert "15 Nov" in axis.clock_ticks(noon)(0, 86400, 5)[1]
        assert axis.clock_ticks(noon + 7)(0, 60, 3)[1] == ["12:00:30", "12:01:00"]
    finally:
        monkeypatch.undo()
        time.tzset()


@given(
    st.floats(-1e8, 1e8),
    st.floats(1, 1e9),
    st.integers(1, 20),
    st.sampled_from([axis.time_ticks, axis.clock_ticks(1.7e9)]),
)
def test_ticks_of_times_are_few_and_inside(start, span, most, ticks):
    low, high = axis.nice_limits(start, start + span)
    places, texts = ticks(low, high, most)
    assert len(places) == len(texts) <= most + 1
    assert all(low - 1e-6 * (high - low) <= place <= high + 1e-6 * (high - low) for place in places)
