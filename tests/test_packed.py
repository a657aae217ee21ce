"""Mappings that are kept as text are the mappings that they stand for."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui.files.packed import Packed, as_json

TEXT = st.text('a"\\\n{}\0é😀', max_size=5)
LEAF = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | TEXT
ITEMS = st.dictionaries(
    TEXT, LEAF | st.lists(LEAF, max_size=3) | st.dictionaries(TEXT, LEAF, max_size=3), max_size=5
)


@settings(deadline=None, max_examples=40)
@given(ITEMS)
def test_a_packed_mapping_is_the_mapping(items):
    packed = Packed.of(items)
    finite = json.loads(json.dumps(items), parse_constant=lambda name: None)
    assert packed == finite and finite == packed
    assert dict(packed) == finite and list(packed) == list(finite) and len(packed) == len(finite)
    assert {**packed} == finite and packed.unpacked() == finite
    assert all(packed[key] == packed.get(key) == value for key, value in finite.items())
    assert orjson.loads(orjson.dumps({"inside": packed}, default=as_json)) == {"inside": finite}


def test_what_is_missing_is_missing():
    packed = Packed('{"a":1}')
    assert "b" not in packed and packed.get("b", 2) == 2
    with pytest.raises(KeyError):
        packed["b"]
    assert packed != Packed('{"a":2}') and packed == Packed('{ "a": 1 }') and packed != 3


def test_going_through_all_keeps_nothing():
    packed = Packed('{"a":[1]}')
    assert packed.unpacked() is not packed.unpacked()
    assert packed["a"] is packed["a"]
    assert Packed.of(packed) is packed


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "\x00"])
def test_what_is_no_object_is_empty(text):
    assert dict(Packed(text)) == {}


def test_only_packed_mappings_are_written_as_they_are():
    with pytest.raises(TypeError):
        as_json(object())
