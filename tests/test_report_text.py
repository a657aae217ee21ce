"""Data in markdown stays data: rendered, it reads as it was."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from labtui.cells import clean
from labtui.report.text import code, exact, fence, heading, moment, prose, table

hostile = st.text(
    st.sampled_from("a1 |<>`*_[]()#&$~\\!-+.=:/\n\t\"'{}x") | st.characters(codec="utf-8"),
    max_size=30,
)
renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shown(tokens: list[Token]) -> str:
    """The text that a reader sees of inline tokens; fails on any formatting but line breaks."""
    words = ""
    for token in tokens:
        if token.type == "html_inline":
            assert token.content == "<br>"
            words += "\n"
        else:
            assert token.type in ("text", "text_special", "link_open", "link_close"), token.type
            assert token.type != "link_open" or token.info == "auto"
            words += token.content
    return words


def as_read(text: str) -> str:
    """The text as it should be read: spaces at the ends do not show, controls are made visible."""
    lines = [clean(line) for line in text.strip().splitlines()]
    return re.sub(" *\n *", "\n", "\n".join(lines)).strip()


@given(hostile)
@example("- a")
@example("1. a\n2. b")
@example("12) x")
@example("---")
@example("=== \n===")
@example("<script>alert(1)</script>")
@example("see https://a.b/c_d*e*. And <http://x>")
@example("http://a\nb|c")
def test_prose_is_read_as_it_was(text: str) -> None:
    tokens = renderer.parse(prose(text))
    if not as_read(text):
        return
    assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    read = re.sub(" *\n *", "\n", shown(tokens[1].children or []))
    assert read.replace("◌", "") == as_read(text).replace("◌", "")


@given(st.lists(st.tuples(hostile, hostile), min_size=1, max_size=3))
def test_a_table_keeps_its_cells(rows: list[tuple[str, str]]) -> None:
    tokens = renderer.parse(table(("a|b", "`c`"), rows))
    cells = [t for t in tokens if t.type == "inline"]
    assert tokens[0].type == "table_open" and tokens[-1].type == "table_close"
    assert len(cells) == 2 * (len(rows) + 1)
    for cell in cells:
        shown(cell.children or [])


@given(hostile)
def test_a_heading_is_one_line(text: str) -> None:
    tokens = renderer.parse(heading(2, "Model", text))
    assert [t.type for t in tokens] == ["heading_open", "inline", "heading_close"]


@given(hostile)
def test_code_holds_what_it_was_given(text: str) -> None:
    tokens = renderer.parse("x " + code(text))
    kinds = [t.type for t in tokens[1].children or []]
    assert kinds == ["text", "code_inline"]


@given(hostile)
def test_a_fence_does_not_end_early(text: str) -> None:
    tokens = renderer.parse(fence(text) + "\n\nafter")
    assert tokens[0].type == "fence"
    assert tokens[2].content == "after"


def test_options_are_not_rounded() -> None:
    assert exact(0.000123456789) == "0.000123456789"
    assert exact([0.9, True, [1, "a"]]) == "[0.9, yes, [1, a]]"


def test_moments() -> None:
    assert moment(1795170000.0) == "2026-11-20 10:20 UTC"
    assert moment(float("nan")) == moment("x") == moment(1e300) == moment(True) == ""
