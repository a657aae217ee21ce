"""The language of filters, conditions and constraints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtui.errors import FilterError
from labtui.expression import parse

ROW: dict[str, Any] = {
    "name": "exp-5", "id": "20260101-000001-exp", "state": "finished", "tags": ["fault", "实验"], "date": "20240101",
    "model.d_model": 64, "model.nhead": 4, "model.name": "adam", "optimizer.name": "adam", "odd": 3, "zero": 0,
    "val.acc": 0.5, "train.acc": 0.75, "flag": True, "off": False, "widths": [8, 16], "my key": 2, "none": None,
    "big": 10**400, "adam": 1, "a-b": 7,
}  # fmt: skip


def fits(text: str, row: Mapping[str, Any] = ROW) -> bool:
    return parse(text, lambda row, key: row.get(key))[0](row)


@pytest.mark.parametrize(
    "text",
    [
        "model.d_model % model.nhead = 0",
        "model.d_model * model.nhead <= 256",
        "256 >= model.d_model * model.nhead",
        "2 * odd = 6 and 7 - odd - 1 = odd",
        "7 - (odd - 1) = 5",
        "(2 + odd) * 2 == 10",
        "((2 + odd) * 2 = 10)",
        "((2 + odd) * 2 = 10 or odd=9) and (odd) = (odd)",
        "odd = odd and odd < model.nhead and not odd > model.nhead",
        "model.nhead > 1 + 2 * 1",
        "val.acc < train.acc",
        "odd - -5 = 8",
        "'my key' * 2 = 4 and odd > 'my key' - 0",
        "widths = model.nhead * 2 and widths < 8.5",
        "optimizer.name = (model.name) and optimizer.name=adam",
        "flag = (flag) and flag=flag and flag!=off",
        "a-b=7 and a-b - 1 = 6",
        "big + 1 > big and big % 7 >= 0",
        "odd / 2 = 1.5 and odd % 2 = 1",
        "date=20240101 and date>=20240101 and date<20240102 and id~20260101",
    ],
)
def test_calculations_and_keys_on_both_sides(text: str) -> None:
    assert fits(text)
    assert not fits(f"not ({text})")


@pytest.mark.parametrize(
    "text",
    [
        "name=exp-5 and id~2026 and id=20260101-000001-exp",
        "name!=exp-*",
        "name~exp-5 and not name=data/x",
        "optimizer.name=adam",  # a word, though a key of that name has another value
        "model.name!=optimizer.name",
        "state==finished and tags=fault and tags~实",
        "flag=true and off=FALSE",
        "odd!=none and odd!=word and odd!='3'",
    ],
)
def test_words_stay_words(text: str) -> None:
    assert fits(text)


@pytest.mark.parametrize("sign", ["=", "<", "<=", ">", ">="])
@pytest.mark.parametrize(
    "side",
    ["odd / zero", "odd % zero", "missing + 1", "none * 2", "name + 1", "flag + 1", "widths + 1", "big / 3", "big * 0.5",
     "(missing)", "1 + (odd / zero)"],
)  # fmt: skip
def test_what_cannot_be_calculated_is_missing(side: str, sign: str) -> None:
    for text in (f"{side} {sign} 1", f"odd {sign} {side}"):
        assert not fits(text)
    assert fits(f"{side} != 1") and fits(f"odd != {side}")


def test_the_keys_are_those_that_are_no_values() -> None:
    _, keys = parse("a=b and (c + 1) * 'd e' > f - 2 and g < (h) and not i~j", lambda row, key: None)
    assert keys == ["a", "c", "d e", "f", "g", "h", "i"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", r"^expression 'a': expected one of = != < <= > >= ~ !~ \(or of .*\) at the end$"),
        ("odd -5 > 0", r"between spaces\) at '-5 > 0' \(character 5\)"),
        ("a= ", "expected a value after = at the end"),
        ("  =3", r"expected a key at '=3' \(character 3\)"),
        ("(a=1", r"expected `\)` at the end"),
        ("a=1)", r"`or` or the end at '\)' \(character 4\)"),
        ("a=1 b=2", r"`or` or the end at 'b=2' \(character 5\)"),
        ("a=1 and", "expected a key at the end"),
        ("not", "expected a key at the end"),
        ("1 < a < 5", r"or the end at '< 5' \(character 7\)"),
        ("a + = 3", r"expected a number or a key at '= 3'"),
        ("a = 1 +", "expected a number or a key at the end"),
        ("a + b", r"expected one of .* at the end"),
        ("(a + b = 2", r"expected `\)` at the end"),
        ("(a=1) + 2 = 3", r"expected `\)` at '=1\) \+ 2 = 3'"),
        ("a ~ b + 1", r"expected text after ~, no calculation, at 'b \+ 1'"),
        ("a ! 1", r"cannot be read at '! 1'"),
        ("'", "cannot be read at"),
        ("(" * 500, r"nested too deeply at '\("),
        ("not " * 500 + "a=1", "nested too deeply"),
        ("a = " + "(" * 500 + "1" + ")" * 500, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, problem: str) -> None:
    with pytest.raises(FilterError, match=problem):
        fits(text)


def test_long_expressions_are_read_and_evaluated() -> None:
    assert fits(" + ".join(["odd"] * 5000) + " = 15000")
    assert fits(" and ".join(["odd=3"] * 5000))
    assert fits("(" * 90 + "odd" + ")" * 90 + " = " + "(" * 90 + "3" + ")" * 90)


NAMES = ["a", "b", "c"]
NUMBERS = st.integers(-20, 20) | st.floats(-1e3, 1e3) | st.sampled_from([0, 1e308, 1e-308, 10**400])
OPERANDS = st.sampled_from(NAMES) | st.integers(0, 9).map(str) | st.floats(0, 9).map(repr)
SIDES = st.recursive(
    OPERANDS,
    lambda sides: (
        st.lists(sides, min_size=2, max_size=4).flatmap(
            lambda parts: st.lists(
                st.sampled_from("+-*/%"), min_size=len(parts) - 1, max_size=len(parts) - 1
            ).map(
                lambda signs: (
                    parts[0] + "".join(f" {sign} {part}" for sign, part in zip(signs, parts[1:], strict=True))
                )
            )
        )
        | sides.map("({})".format)
    ),
    max_leaves=6,
)
COMPARISONS = (
    st.tuples(SIDES, st.sampled_from(["==", "<", "<=", ">", ">="]), SIDES)
    .filter(
        # a lone number on the left of another is a key
        lambda parts: parts[0] in NAMES or any(mark in parts[0] + parts[2] for mark in " (")
    )
    .map(" ".join)
)
EXPRESSIONS = st.recursive(
    COMPARISONS,
    lambda e: st.builds("{} and {}".format, e, e) | st.builds("{} or {}".format, e, e)
    | st.builds("not {}".format, e) | st.builds("({})".format, e),
    max_leaves=4,
)  # fmt: skip


@given(EXPRESSIONS, st.lists(NUMBERS, min_size=3, max_size=3))
def test_numbers_are_compared_as_python_compares_them(text: str, numbers: list[float]) -> None:
    values = dict(zip(NAMES, numbers, strict=True))
    try:
        expected = eval(text, {}, values)
    except ArithmeticError:
        fits(text, values)
    else:
        assert fits(text, values) == expected


@given(st.lists(st.sampled_from([*"+-*/%()=<>~'", "!=", " and ", " or ", " not ", " ", " - ", "odd", "zero", "tags",
                                 "none", "2", "1e999", "nan", "big", "name", '"my key"']), max_size=12))  # fmt: skip
def test_any_text_is_an_expression_or_a_filter_error(parts: list[str]) -> None:
    for text in ("".join(parts), " ".join(parts)):
        try:
            fits(text)
        except FilterError as error:
            assert "character" in str(error) or "at the end" in str(error)


WORDS = st.text(st.characters(exclude_characters="=<>~()!\"'\\", exclude_categories=["Z", "C"]), min_size=1)


@given(WORDS, WORDS)
def test_a_word_holds_any_other_characters(key: str, word: str) -> None:
    if key.lower() == "not":
        return
    assert fits(f"{key}='{word}' and {key}~{word}", {key: word})
    test, keys = parse(f" {key} = {word} ", lambda row, name: row[name] if name == key else None)
    assert keys == [key] and test({key: word})


@given(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(["1", "2.5", "true", "abc", ""])
    ),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    st.sampled_from(["1", "2.5", "true", "abc", '"abc"', '"1"', "b"]),
)
def test_a_value_fits_as_a_list_of_it_does(value, sign, word):
    assert fits(f"a{sign}{word}", {"a": value, "b": 3}) == fits(f"a{sign}{word}", {"a": [value], "b": 3})
