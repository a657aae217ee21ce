"""Confusion matrices in any form that runs keep them in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from labtui.confusion import BROKEN, Confusion, confusions
from labtui.tui.heat import Shade, matrix_rows, mistake_rows

squares = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 9), min_size=n, max_size=n), min_size=n, max_size=n)
)
LOOKS = [Shade(), Shade.of("#101418", "#d8dee6", True)]


@given(squares)
def test_figures_of_each_class_are_scikit_learns(matrix):
    found = confusions(matrix)[0]
    truth = [t for t, row in enumerate(matrix) for n in row for _ in range(n)]
    said = [s for row in matrix for s, n in enumerate(row) for _ in range(n)]
    if not truth:
        return
    labels = list(range(len(matrix)))
    expected = precision_recall_fscore_support(truth, said, labels=labels, zero_division=0)
    for place, one in enumerate(found.per_class):
        mine = [one["precision"], one["recall"], one["f1"], one["samples"]]
        assert [v or 0 for v in mine] == pytest.approx([column[place] for column in expected])
    wrong = sum(n for n, _, _ in found.mistakes)
    assert wrong == sum(t != s for t, s in zip(truth, said, strict=True))


@given(squares, st.integers(40, 120), st.booleans(), st.sampled_from(LOOKS))
def test_a_matrix_is_never_wider_than_its_room(matrix, room, shares, shade):
    found = confusions({"matrix": matrix, "classes": [f"class 轴 number {n}" for n in range(len(matrix))]})[0]
    from labtui.cells import width

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
