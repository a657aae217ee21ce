"""Confusion matrices in any form that runs keep them in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui.cells import width
from labtui.confusion import BROKEN, Confusion, confusions
from labtui.tui.heat import Shade, matrix_rows, mistake_rows

squares = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 9), min_size=n, max_size=n), min_size=n, max_size=n)
)
LOOKS = [Shade(), Shade.of("#101418", "#d8dee6", True)]


@settings(deadline=None)
@given(squares)
def test_figures_of_each_class_are_those_of_their_definitions(matrix):
    found = confusions(matrix)[0]
    for place, one in enumerate(found.per_class):
        right, there = matrix[place][place], sum(matrix[place])
        said = sum(row[place] for row in matrix)
        assert one["samples"] == there
        assert one["recall"] == (right / there if there else None)
        assert one["precision"] == (right / said if said else None)
        if right:
            assert one["f1"] == pytest.approx(2 / (1 / one["recall"] + 1 / one["precision"]))
        assert one["f1"] is None or 0 <= one["f1"] <= 1
    wrong = sum(n for t, row in enumerate(matrix) for s, n in enumerate(row) if t != s)
    assert sum(n for n, _, _ in found.mistakes) == wrong


@settings(deadline=None)
@given(squares, st.integers(40, 120), st.booleans(), st.sampled_from(LOOKS))
def test_a_matrix_is_never_wider_than_its_room(matrix, room, shares, shade):
    found = confusions({"matrix": matrix, "classes": [f"class 轴 number {n}" for n in range(len(matrix))]})[0]
    for row in [*matrix_rows(found, room, shares, shade), *mistake_rows(found, room)]:
        assert sum(width(text) for text, _ in row) <= room


def test_scripts_keep_a_matrix_as_they_like():
    assert confusions(np.eye(3))[0] == Confusion("", ("0", "1", "2"), ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    assert confusions({"matrix": [[3, 1], [0, 2]], "classes": ["a", "b"]})[0].names == ("a", "b")
    both = {"classes": ["a"], "step": 4, "epoch": 2, "val": {"matrix": [[1]]}, "test": {"matrix": [[2]]}}
    assert [(c.split, c.matrix, c.step) for c in confusions(both)] == [
        ("test", ((2,),), 4), ("val", ((1,),), 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("artifact", "said"),
    [
        ([[1, 2], [3]], "row 1 of 2 has 1 columns"),
        ([[1, -2], [3, 4]], "negative"),
        ({"matrix": [[1]], "classes": ["a", "b"]}, "2 names for 1 classes"),
        ({"other": 1}, "neither `test` nor `val`"),
        ({"test": 3, "step": 1}, "`test` is no table"),
        ("text", ""),
        ({"test": {"matrix": 5}, "step": 1}, ""),
        ({"test": {}}, "step"),
        (None, ""),
    ],
)
def test_what_is_no_matrix_says_what_is_wrong(artifact, said):
    with pytest.raises(BROKEN, match=said or None):
        confusions(artifact)
