"""The table and the rows: what is painted, what is asked for, where the cursor goes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Region

import labtui.tui
from labtui.tui.themes import LINE_COLORS
from labtui.tui.widgets.lines import Lines, TextView, changed_spans
from labtui.tui.widgets.table import Cells, Column, Table

ROWS = st.lists(st.tuples(st.text("ab ", max_size=4), st.sampled_from(["", "dim"])), max_size=4)


class Stage(App[None]):
    """One widget, with labtui's style sheet, that notes what is painted."""

    CSS_PATH = Path(labtui.tui.__file__).parent / "css" / "labtui.tcss"

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self.widget = widget
        self.painted: list[Region] = []
        self.opened: list[str] = []

    def on_table_opened(self, message: Table.Opened) -> None:
        self.opened.append(message.key)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return LINE_COLORS

    def compose(self) -> ComposeResult:
        yield self.widget

    def watch_painting(self) -> None:
        """Note every region that is refreshed from now on."""
        inner = self.widget.refresh

        def refresh(*regions: Region, **more: Any) -> Any:
            self.painted += regions or [self.widget.size.region]
            return inner(*regions, **more)

        self.widget.refresh = refresh


def text_of(widget: Any) -> list[str]:
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def table_of(keys: list[str], asked: list[str] | None = None) -> Table:
    def row(key: str) -> Cells:
        if asked is not None:
            asked.append(key)
        return [(key, ""), (f"name of {key}", "dim"), ("1", "")]

    columns = (Column("key", 6), Column("name", 0), Column("n", 4, "right", least=60))
    table = Table(columns, row, id="t", empty="nothing here")
    table.keys = keys
    return table


@given(ROWS, ROWS, st.integers(1, 4))
def test_only_what_differs_is_painted(old, new, gap):
    before = [(c, s) for t, s in old for c in t]
    after = [(c, s) for t, s in new for c in t]
    spans = changed_spans(old, new, gap)
    if not spans:
        assert before == after
        return
    size = max(len(before), len(after))
    before += [("", "")] * (size - len(before))
    after += [("", "")] * (size - len(after))
    inside = {at for first, last in spans for at in range(first, last)}
    assert all(before[at] == after[at] for at in range(size) if at not in inside)
    assert all(next_[0] - last[1] >= gap for last, next_ in pairwise(spans))


async def test_rows_paint_their_changed_cells():
    lines = Lines()
    app = Stage(lines)
    async with app.run_test(size=(40, 5)) as pilot:
        lines.show([[("step 100", "dim")], [("损失 1", "")], [("same", "")]])
        await pilot.pause()
        app.watch_painting()
        lines.show([[("step 105", "dim")], [("损失 2", "")], [("same", "")]])
        assert sorted((r.x, r.y, r.width) for r in app.painted) == [(0, 1, 40), (7, 0, 1)]
        await pilot.pause()
        assert text_of(lines)[:3] == ["step 105", "损失 2", "same"]
        app.painted.clear()
        lines.show(list(lines.rows))
        assert app.painted == []


async def test_ten_thousand_rows_cost_what_is_in_sight():
    asked: list[str] = []
    table = table_of([f"k{number}" for number in range(10_000)], asked)
    app = Stage(table)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert len(set(asked)) <= 24
        table.focus()
        await pilot.press("end")
        await pilot.pause()
        assert table.key == "k9999" and "k9999" in text_of(table)[-1]
        await pilot.press("g", "j", "j", "k", "pagedown")
        assert table.cursor == 1 + 22
        assert len(set(asked)) <= 100


async def test_moving_paints_two_lines():
    table = table_of([f"k{number}" for number in range(50)])
    app = Stage(table)
    async with app.run_test(size=(80, 24)) as pilot:
        table.focus()
        await pilot.pause()
        app.watch_painting()
        await pilot.press("j")
        assert {region.y for region in app.painted} == {1, 2}


async def test_the_cursor_stays_on_its_row():
    table = table_of(["a", "b", "c"])
    app = Stage(table)
    async with app.run_test(size=(80, 24)) as pilot:
        table.select("b")
        table.show(["new", "a", "b", "c"])
        assert table.key == "b" and table.cursor == 2
        table.show(["c", "a", "b", "new"])
        assert table.key == "b" and table.cursor == 2
        table.show(["c", "a"])
        assert table.key == "a"
        table.show([])
        assert table.key is None
        await pilot.pause()
        assert "nothing here" in text_of(table)[2]
        await pilot.press("j", "k", "end")


async def test_a_table_paints_only_rows_that_changed():
    names = {"a": "one", "b": "two", "c": "three"}
    table = Table((Column("name", 0),), lambda key: [(names[key], "")], id="t")
    app = Stage(table)
    async with app.run_test(size=(40, 8)) as pilot:
        table.show(["a", "b", "c"])
        await pilot.pause()
        app.watch_painting()
        table.show(["a", "b", "c"])
        assert app.painted == []
        names["b"] = "二"
        table.show(["a", "b", "c"])
        assert [region.y for region in app.painted] == [2]


async def test_narrow_tables_leave_columns_out():
    table = table_of(["a"])
    app = Stage(table)
    async with app.run_test(size=(40, 8)) as pilot:
        assert text_of(table)[0].split() == ["key", "name"]
        await pilot.resize_terminal(100, 8)
        await pilot.pause()
        assert text_of(table)[0].split() == ["key", "name", "n"]


async def test_clicks_move_and_open():
    table = table_of(["a", "b", "c"])
    app = Stage(table)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(table, offset=(5, 3))
        assert table.key == "c"
        await pilot.click(table, offset=(5, 2), times=2)
        assert table.key == "b" and app.opened == ["b"]
        await pilot.click(table, offset=(5, 9))
        assert table.key == "b"


async def test_a_followed_text_stays_at_its_end():
    view = TextView()
    view.follow = True
    app = Stage(view)
    async with app.run_test(size=(40, 10)) as pilot:
        view.show([[(f"line {n}", "")] for n in range(50)])
        await pilot.pause()
        view.action_last()
        await pilot.pause()
        assert text_of(view)[-1] == "line 49"
        view.show([[(f"line {n}", "")] for n in range(60)])
        await pilot.pause()
        assert text_of(view)[-1] == "line 59"
        view.action_first()
        await pilot.pause()
        view.show([[(f"line {n}", "")] for n in range(70)])
        await pilot.pause()
        assert text_of(view)[0] == "line 0"


async def test_a_colour_that_means_a_number_is_painted_as_it_is():
    lines = Lines()
    app = Stage(lines)
    async with app.run_test(size=(10, 2)):
        lines.show([[("█", "#fde725"), ("a", "dim")]])
        block, _, _ = lines.render_line(0)
        assert block.style is not None and block.style.color is not None
        assert block.style.color.name == "#fde725" and block.style.bgcolor is not None
