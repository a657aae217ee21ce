"""Completion of the filter line: what can stand where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtui.expression import parse
from labtui.query.rows import look_up
from labtui.tui.completing import Words, candidates, place, spelled, taken, words

KNOWN = Words(["state", "val.acc", "val.loss", "optimizer.lr", "my key"], values=["finished", '"two words"'])


@pytest.mark.parametrize(
    ("text", "expects", "prefix", "key"),
    [
        ("", "key", "", ""), ("val", "key", "val", ""), ("state=", "value", "", "state"),
        ("state=fin", "value", "fin", "state"), ("state = fin", "value", "fin", "state"),
        ("state=finished ", "joint", "", ""), ("state=finished a", "joint", "a", ""),
        ("state=finished and ", "key", "", ""), ("not (va", "key", "va", ""), ('"my key"=', "value", "", "my key"),
        ("tags!~x or loss", "key", "loss", ""), ('name="a ', "value", '"a ', "name"),
    ],
)  # fmt: skip
def test_what_is_expected(text, expects, prefix, key):
    at = place(text, len(text))
    assert (at.expects, at.prefix, at.key) == (expects, prefix, key)


@pytest.mark.parametrize(
    ("text", "first"),
    [("sta", "state"), ("loss", "val.loss"), ("state=", "state=finished"), ("state=tw", 'state="two words"'),
     ("state=x ", "state=x and "), ("optimizer.lr", "optimizer.lr="), ("my", '"my key"')],
)  # fmt: skip
def test_the_first_choice(text, first):
    at = place(text, len(text))
    fit = candidates(at, KNOWN)
    new, cursor = taken(text, at, fit[0])
    assert new == (first if text != "loss" else "val.loss") and cursor == len(new)


@given(st.text(alphabet="ab=<>~!()\"' \\.and", max_size=20), st.integers(0, 20))
def test_any_text_has_a_place_and_choices_keep_the_rest(text, cursor):
    cursor = min(cursor, len(text))
    at = place(text, cursor)
    assert text[at.start : at.start + len(at.prefix)] == at.prefix and at.start + len(at.prefix) == cursor
    for choice in candidates(at, KNOWN)[:3]:
        new, end = taken(text, at, choice)
        assert new.startswith(text[: at.start]) and new.endswith(text[cursor:]) and 0 <= end <= len(new)


@given(st.text(min_size=1, max_size=8) | st.integers() | st.booleans() | st.floats(allow_nan=False))
def test_a_value_is_spelled_so_that_the_filter_finds_it(value):
    row = {"params": {"x": value}, "metrics": {}, "facts": {}}
    if isinstance(value, str) and not value.strip():
        return
    test, _ = parse(f"x={spelled(value)}", look_up)
    near = isinstance(value, float)  # six digits are offered
    assert near or test(row)


def test_words_are_those_of_the_rows():
    rows = [
        {"params": {"lr": 0.1 * n, "same": 1}, "metrics": {"val.acc": {}}, "facts": {"layers": 2}, "state": state,
         "tags": ["a", "b"][: n % 3]}
        for n, state in enumerate(["finished"] * 30 + ["failed"])
    ]  # fmt: skip
    found = words(rows, "state")
    assert (
        found.values == ["finished", "failed"] and found.differing == ["lr"] and found.metrics == ["val.acc"]
    )
    assert {"facts.layers", "val.acc.best", "lr", "same", "state"} <= set(found.keys)
    assert words(rows, "lr").values == ["0", "1.5", "3"], "of many numbers the least, the middle, the largest"
    assert words(rows, "tags").values == ["a", "b"] and words([], "x") == words([])
