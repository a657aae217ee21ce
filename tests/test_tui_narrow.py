"""What is sent to the terminal for a part of a line is that part."""

from __future__ import annotations

from itertools import pairwise

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from textual.strip import Strip
from tui_lab import small_lab
from tui_pilot import opened, screen

from labtui.tui.narrow import NarrowCompositor, Spans
from labtui.tui.screens.lab import LabScreen
from labtui.tui.widgets.lines import changed_regions

WIDTH = 30
PART = st.tuples(st.integers(0, WIDTH), st.integers(0, WIDTH)).map(sorted).filter(lambda p: p[0] < p[1])
TEXT = st.text("ab ─⠿", min_size=WIDTH, max_size=WIDTH)


def screen_after(old: str, new: str, cuts: list[int], spans: list[tuple[int, int, int]]) -> str:
    screen = pyte.Screen(WIDTH, 2)
    pyte.Stream(screen).feed(f"\x1b[2;1H{old}")
    edges = sorted({0, WIDTH, *cuts})
    strips = {a: Strip([Segment(new[a:b])]) for a, b in pairwise(edges)}
    update = Spans([{}, strips], spans, [[], edges[1:]])
    pyte.Stream(screen).feed(update.render_segments(Console(color_system=None)))
    return screen.display[1]


@settings(deadline=None, max_examples=60)
@given(TEXT, TEXT, st.lists(st.integers(1, WIDTH - 1), max_size=3), PART)
def test_a_part_of_a_line_is_painted_and_nothing_beside_it(old, new, cuts, part):
    first, last = part
    assert screen_after(old, new, cuts, [(1, first, last)]) == old[:first] + new[first:last] + old[last:]


@settings(deadline=None, max_examples=60)
@given(TEXT, TEXT)
def test_the_regions_in_which_rows_differ_make_one_the_other(old, new):
    regions = changed_regions([(old, "")], [(new, "")], 1, WIDTH)
    assert screen_after(old, new, [], [(1, r.x, r.right) for r in regions]) == new
    assert bool(regions) == (old != new)


def test_where_characters_are_not_cells_the_line_is_painted_whole():
    (region,) = changed_regions([("实验 1", "")], [("实验 2", "")], 0, WIDTH)
    assert (region.x, region.width) == (0, WIDTH)


async def test_the_screens_paint_so(tmp_path):
    async with opened(small_lab(tmp_path)) as pilot:
        assert isinstance(screen(pilot, LabScreen)._compositor, NarrowCompositor)
