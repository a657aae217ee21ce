"""Filters, sorting and references."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtui.errors import FilterError, LabtuiError, RunNotFound
from labtui.query.lab import differing, resolve, select


def row(number: int, **fields):
    acc = fields.pop("acc", number / 10)
    metric = {"at_best": acc, "last": 0.0, "best": acc, "best_step": 5, "min": 0.0, "max": 1.0, "goal": "max"}
    return {
        "id": f"20260101-00000{number}-exp-aa0{number}", "name": f"exp {number}", "recipe": "r.toml",
        "sweep": "", "state": "finished", "reason": "", "created": float(number), "started": 1.0,
        "ended": 2.0, "duration": 1.0, "attempt": 1, "tags": ["fault", "实验"], "facts": {"layers": 3},
        "params": {"optimizer.name": "adam", "optimizer.lr": 0.1 * number, "params.alpha": number,
                   "x.flag": number > 2},
        "metrics": {"val.acc": metric},
    } | fields  # fmt: skip


ROWS = [row(1), row(2, state="failed", reason="oom"), row(3), row(4, acc=None)]


@pytest.mark.parametrize(
    "expression, expected",
    [
        ("", [1, 2, 3, 4]),
        ("state=finished", [1, 3, 4]),
        ("state==finished and val.acc>0.2", [3]),
        ("val.acc>=0.1", [1, 2, 3]),
        ("not state=finished", [2]),
        ("state=failed or val.acc<0.15", [1, 2]),
        ("(state=failed or alpha=1) and optimizer.name=adam", [1, 2]),
        ("optimizer.lr<=0.2", [1, 2]),
        ("alpha!=3", [1, 2, 4]),
        ("val.acc!=0.1", [2, 3, 4]),
        ("tags=fault", [1, 2, 3, 4]),
        ("tags=实验 and name~'EXP 3'", [3]),
        ("tags!=fault", []),
        ("name!~exp", []),
        ("x.flag=true", [3, 4]),
        ("facts.layers=3", [1, 2, 3, 4]),
        ("val.acc.best_step=5 and alpha=2", [2]),
        ('"name"="exp 1"', [1]),
        ("alpha - 1 > optimizer.lr * 5", [3, 4]),
        ("val.acc * 20 > facts.layers", [2, 3]),
        ("1 + 1 = 3", []),
    ],
)
def test_filters(expression, expected):
    assert [r["params"]["params.alpha"] for r in select(ROWS, expression)] == expected


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_a_filter_error(text):
    with contextlib.suppress(FilterError):
        select(ROWS, text)


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(FilterError, match=r"val\.acc"):
        select(ROWS, "val.ac>1")
    assert select([], "anything=1") == []


def test_missing_values_come_last_either_way():
    assert [r["params"]["params.alpha"] for r in select(ROWS, sort="val.acc")] == [1, 2, 3, 4]
    assert [r["params"]["params.alpha"] for r in select(ROWS, sort="-val.acc")] == [3, 2, 1, 4]


def test_references():
    assert resolve(ROWS, "@last")["params"]["params.alpha"] == 4
    assert resolve(ROWS, "@best:val.acc")["params"]["params.alpha"] == 3
    assert resolve(ROWS, "@best:val.acc where params.alpha<3")["params"]["params.alpha"] == 2
    assert resolve(ROWS, "aa02")["params"]["params.alpha"] == 2
    assert resolve(ROWS, "20260101-000003")["params"]["params.alpha"] == 3
    with pytest.raises(RunNotFound, match="fits 4 runs"):
        resolve(ROWS, "2026")
    for wrong in ("nothing", "", "@first"):
        with pytest.raises(LabtuiError):
            resolve(ROWS, wrong)
    with pytest.raises(FilterError, match="direction"):
        resolve(ROWS, "@best:optimizer.lr")
    with pytest.raises(RunNotFound, match=r"no run fits 'params\.alpha=7'"):
        resolve(ROWS, "@best:val.acc where params.alpha=7")
    with pytest.raises(RunNotFound, match="no runs"):
        resolve([], "@last")


def test_only_differing_options_are_compared():
    assert differing(ROWS[:2]) == ["optimizer.lr", "params.alpha"]
