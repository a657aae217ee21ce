"""Notes in a report: markdown where it is harmless, text where it is not, dated, with what it is written on."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from labtui import notes
from labtui.cells import clean
from labtui.files.paths import LabPaths
from labtui.files.toml import dumps
from labtui.report.notes import journal, todos
from labtui.report.passage import passage

viewer = MarkdownIt("commonmark", {"html": True, "maxNesting": 200}).enable(["table", "strikethrough"])
BEGUN = 1795170000.0
KEPT = {
    "paragraph_open", "paragraph_close", "inline", "text", "text_special", "softbreak", "fence", "code_inline",
    "bullet_list_open", "bullet_list_close", "ordered_list_open", "ordered_list_close", "list_item_open",
    "list_item_close", "blockquote_open", "blockquote_close", "em_open", "em_close", "strong_open",
    "strong_close", "s_open", "s_close", "link_open", "link_close", "html_inline",
}  # fmt: skip

hostile = st.lists(
    st.sampled_from(
        ["a", " ", "\n", "\n\n", "- ", "* ", "2. ", "> ", "# ", "    ", "```", "`", "*", "**", "_", "~~", "|",
         "<b>", "<!--", "](", "[", "![", "](http://x.y/z)", "](javascript:a)", "<http://a>", "https://b.c/d", "---",
         "\\", "&lt;", "$", "\x1b", "\u202e", "\u0301", "\t", "!", "<br>", "[a]: http://x", "1)", "="]
    )
    | st.characters(codec="utf-8"),
    max_size=25,
).map("".join)  # fmt: skip


def all_of(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in (token, *all_of(token.children or []))]


def seen(markdown: str) -> list[Token]:
    return all_of(viewer.parse(markdown))


@settings(deadline=None)
@given(hostile)
@example("# **a** `b`")
@example("- a\n\n      code\n- b")
@example(">" * 60 + " deep")
@example("![a](http://x/y.png)")
@example("[a](http://x 'title')\n[b]\n\n[b]: http://y")
def test_nothing_but_the_safe_part_of_markdown_gets_out(text):
    found = seen("\n\n".join(passage(text)))
    assert {token.type for token in found} <= KEPT
    for token in found:
        assert token.type != "html_inline" or token.content == "<br>"
        assert token.type != "link_open" or str(token.attrs["href"]).startswith(("http://", "https://"))
        assert clean(token.content.replace("\n", "")) == token.content.replace("\n", "")
        assert token.type != "fence" or token.info in ("", "c", "r", "py")


@settings(deadline=None)
@given(hostile)
@example("``` mermaid\ngraph TD\n```")
def test_no_letter_of_a_note_is_lost(text):
    letters = lambda said: Counter(c for c in said if c.isalpha())  # noqa: E731
    shown = [
        token.content + token.info + str(token.attrs.get("href", ""))
        for token in seen("\n\n".join(passage(text)))
        if token.type != "inline"
    ]
    assert not letters(text) - letters("".join(shown))


@pytest.mark.parametrize(
    "text, written",
    [
        ("*a* and **b_c** and `d*e`, 3 * 4", ["*a* and **b\\_c** and `d*e`, 3 \\* 4"]),
        ("one\ntwo\n\nthree", ["one<br>two", "three"]),
        ("# Next\n- a\n  1. b\n- c", ["**Next**", "- a\n  1. b\n- c"]),
        ("> said\n\n```sh\nls <x>\n```", ["> said", "```sh\nls <x>\n```"]),
        ("```mermaid\ngraph\n```", ["```\nmermaid\ngraph\n```"]),
        ("[paper](https://a.b/c) or [this](../x.md)", ["[paper](<https://a.b/c>) or \\[this\\](../x.md)"]),
        ("![curve](http://a/b.png)", ["\\![curve](<http://a/b.png>)"]),
        ("a | b\n--|--\n<img src=x>", ["a \\| b<br>--\\|--<br>\\<img src=x\\>"]),
        ("  \n\n", []),
    ],
)
def test_markdown_comes_through_as_it_was_meant(text, written):
    assert passage(text) == written


def written(lab: LabPaths) -> list[notes.Entry]:
    run = lab.run("20261120-102000-digits-aa00")
    for paths, tables in (
        (run, {
            "notes": [{"time": BEGUN + 60, "text": "second"}, {"text": "undated"}],
            "todos": [
                {"time": BEGUN, "text": "label smoothing", "state": "abort", "reason": "no <gain>", "marked": BEGUN + 86400},
                {"time": BEGUN, "text": "seeds\n\n- 0\n- 1", "done": True}, {"text": "write up"},
            ],
        }),
        (lab.recipe_notes("fault/x_y.toml"), {"notes": [{"time": BEGUN, "text": "- first\n- things"}]}),
        (lab, {"todos": [{"time": BEGUN, "text": "more data", "state": "pending", "reason": "the disk"}]}),
    ):  # fmt: skip
        paths.notes.parent.mkdir(parents=True, exist_ok=True)
        paths.notes.write_bytes(dumps(tables))
    return [one for paths in (run, lab.recipe_notes("fault/x_y.toml"), lab) for one in notes.entries(paths)]


def test_a_journal_has_every_note_in_order_with_its_date_and_place(tmp_path):
    entries = written(LabPaths(tmp_path))
    assert list(journal(entries, entries[0].of)) == [
        "1. **2026-11-20 10:20 UTC** · recipe `fault/x_y.toml`:\n\n   - first\n   - things\n"
        "2. **2026-11-20 10:21 UTC**: second\n"
        "3. undated"
    ]


def test_to_dos_have_boxes_states_reasons_and_dates(tmp_path):
    entries = written(LabPaths(tmp_path))
    assert list(todos(entries, entries[0].of)) == [
        "- [ ] write up\n"
        "- [ ] **\\[PENDING\\]** the lab: more data — the disk *(2026-11-20 10:20 UTC)*\n"
        "- [x] **\\[DONE\\]** seeds *(2026-11-20 10:20 UTC)*\n\n  - 0\n  - 1\n"
        "- [ ] **\\[ABORT\\]** label smoothing — no \\<gain\\> *(2026-11-20 10:20 UTC – 2026-11-21 10:20 UTC)*"
    ]
    assert list(todos([])) == list(journal([])) == []
