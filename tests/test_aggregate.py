"""Groups of runs: their statistics against numpy's and scipy's, and the difference to a baseline."""

from __future__ import annotations

import math
import random
import time
import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui.errors import FilterError
from labtui.grouped import caption, difference_text, in_numbers, in_words, plus_minus, spread_text
from labtui.query.aggregate import _place, aggregate, figures, hyperparameters, protocols
from labtui.query.difference import Observation, differences, holm
from labtui.query.spread import Spread, spread

NUMBERS = st.floats(-1e150, 1e150).filter(lambda v: v == 0 or abs(v) > 1e-150)
SMALL = st.integers(-1000, 1000).map(lambda n: n / 1000)


def row(number: int, value: float | None = 0.5, state: str = "finished", goal: str | None = "max", **fields):
    entry = {"at_best": value, "last": None if value is None else value - 0.1, "best": value, "best_step": 5}
    entry |= {"min": 0.0, "max": value, "goal": goal}
    params = {"optimizer.lr": 0.1, "train.seed": number, "validate.monitor": "val.acc"}
    params |= fields.pop("params", {})
    return {
        "id": f"20260101-000000-x-{number:04d}", "name": "x", "recipe": "r.toml", "sweep": "s", "state": state,
        "reason": "", "created": 1.0, "started": 1.0, "ended": 2.0, "duration": 1.0, "attempt": 1, "tags": [],
        "facts": {}, "params": params, "metrics": {"val.acc": entry},
    } | fields  # fmt: skip


def cells(*samples, **fields):
    """Rows of one cell for each sample, a seed each."""
    return [
        row(100 * cell + seed, value, params={"optimizer.lr": cell, "train.seed": seed}, **fields)
        for cell, sample in enumerate(samples)
        for seed, value in enumerate(sample)
    ]


def word(rows, key="val.acc", place=1):
    return aggregate(rows, metrics=[key], baseline=[rows[0]["id"]]).groups[place].differences[key]


@given(st.lists(NUMBERS, min_size=1, max_size=30))
def test_statistics_are_numpys(values):
    found, array = spread(values), np.array(values, dtype=np.longdouble)
    close = lambda a, b: a == pytest.approx(float(b), rel=1e-9, abs=1e-12 * max(map(abs, values)))  # noqa: E731
    assert close(found.mean, array.mean()) and close(found.median, np.median(array))
    assert (found.min, found.max, found.n) == (min(values), max(values), len(values))
    if len(values) == 1:
        assert found.std is None and found.mean == values[0]
    else:
        assert close(found.std, array.std(ddof=1))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_statistics_of_any_numbers_are_numbers(values):
    found = spread(values)
    assert found.min <= found.median <= found.max and not math.isnan(found.mean)
    assert spread_text(found, len(values))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(SMALL, SMALL), min_size=2, max_size=9))
def test_few_seeds_are_tested_by_the_paired_t_test(pairs):
    mine, theirs = zip(*pairs, strict=True)
    found = compared(mine, theirs)
    deltas = np.subtract(mine, theirs)
    assert found.difference == pytest.approx(deltas.mean(), abs=1e-12) and found.n == len(pairs)
    if deltas.std() < 1e-9:
        assert found.test == "permutation"
        assert found.p == pytest.approx(1 if abs(deltas[0]) < 1e-9 else 2.0 ** (1 - len(pairs)))
    else:
        assert found.test == "paired t"
        assert found.p == pytest.approx(scipy.stats.ttest_rel(mine, theirs).pvalue)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(SMALL, SMALL), min_size=10, max_size=30))
def test_many_seeds_are_tested_by_wilcoxons_signed_ranks(pairs):
    mine, theirs = zip(*pairs, strict=True)
    deltas = np.subtract(mine, theirs)
    if deltas.std() > 1e-9:
        found = compared(mine, theirs)
        assert found.test == "Wilcoxon signed-rank" and 0 <= found.p <= 1
        if len(set(np.abs(deltas).round(9))) == len(deltas) and np.abs(deltas).min() > 1e-9:
            assert found.p == pytest.approx(scipy.stats.wilcoxon(deltas, method="exact").pvalue)


@settings(deadline=None, max_examples=40)
@given(st.lists(SMALL, min_size=2, max_size=9), st.lists(SMALL, min_size=2, max_size=9))
def test_what_does_not_pair_is_tested_by_welch(mine, theirs):
    found = compared(mine, theirs, apart=100)
    if max(np.std(mine), np.std(theirs)) < 1e-9:
        assert found.test == "permutation (unpaired)" and 0 < found.p <= 1
    else:
        assert found.test == "Welch t (unpaired)" and found.n == min(len(mine), len(theirs))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where one side does not vary, of which scipy is not sure
            assert found.p == pytest.approx(scipy.stats.ttest_ind(mine, theirs, equal_var=False).pvalue)


def compared(mine, theirs, apart=0):
    group = [Observation(value, seed=seed + apart) for seed, value in enumerate(mine)]
    (found,) = differences([group], [Observation(v, seed=s) for s, v in enumerate(theirs)], "max")
    return found


def test_folds_are_tested_with_the_variance_that_nadeau_and_bengio_give_them():
    mine, theirs = [0.82, 0.85, 0.80, 0.86, 0.83], [0.80, 0.82, 0.79, 0.81, 0.82]
    sides = [
        [Observation(v, seed=0, split=("kfold", 5, 0, f), overlap=1 / 4) for f, v in enumerate(side)]
        for side in (mine, theirs)
    ]
    (found,) = differences([sides[0]], sides[1], "max")
    deltas = np.subtract(mine, theirs)
    t = deltas.mean() / np.sqrt((1 / 5 + 1 / 4) * deltas.var(ddof=1))
    assert found.test == "corrected resampled t"
    assert found.p == pytest.approx(2 * scipy.stats.t.sf(t, 4))
    assert found.p > scipy.stats.ttest_rel(mine, theirs).pvalue


def test_folds_that_share_training_data_raise_no_more_false_alarms_than_stated():
    """Differences of folds correlate by 1/k (Nadeau and Bengio's estimate): nothing is better here."""
    draw, k, found = random.Random(1), 5, {0.0: 0, 1 / 4: 0}
    for _ in range(1000):
        shared = draw.gauss(0, math.sqrt(1 / k))
        deltas = [shared + draw.gauss(0, math.sqrt(1 - 1 / k)) for _ in range(k)]
        for overlap in found:
            mine = [Observation(v, split=(fold,), overlap=overlap) for fold, v in enumerate(deltas)]
            base = [one._replace(value=0.0) for one in mine]
            found[overlap] += differences([mine], base, "max")[0].p < 0.05
    assert found[1 / 4] < 70 < 110 < found[0.0], found


@given(st.lists(st.none() | st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_and_keeps_their_order(found):
    adjusted = holm(found)
    known = sorted((p, a) for p, a in zip(found, adjusted, strict=True) if p is not None)
    assert [a is None for a in adjusted] == [p is None for p in found]
    assert all(p <= a <= 1 for p, a in known) and [a for _, a in known] == sorted(a for _, a in known)


def test_holm_is_holms():
    assert holm([0.01, 0.04, 0.03, None]) == pytest.approx([0.03, 0.06, 0.06, None])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=12))
@settings(deadline=None, max_examples=40)
def test_no_numbers_break_a_comparison(values):
    half = len(values) // 2
    for apart in (0, 100):
        found = compared(values[:half], values[half:], apart)
        assert found.word and difference_text(found)
        assert found.p is None or 0 <= found.p <= 1


def test_rows_are_grouped_by_what_they_differ_in_but_seeds_and_folds():
    rows = [
        row(n, params={
            "optimizer.lr": n % 2, "validate.fold": n, "validate.seed": n, "resources.threads": n,
            "checkpoints.every": n, "model.sizes": [n % 2], "x.flag": True,
        })
        for n in range(4)
    ]  # fmt: skip
    assert hyperparameters(rows) == ["optimizer.lr", "model.sizes"]
    table = aggregate(rows)
    assert [len(group.rows) for group in table.groups] == [2, 2] and table.columns[0].goal == "max"
    assert aggregate(rows, ["state"]).groups[0].values == {"state": "finished"}


def test_an_option_that_is_absent_true_or_one_is_three_things():
    rows = [row(n, params=p) for n, p in enumerate([{"k": 1}, {"k": 1.0}, {"k": True}, {}, {"k": "1"}])]
    assert [len(group.rows) for group in aggregate(rows, ["k"]).groups] == [2, 1, 1, 1]


def test_members_without_a_figure_are_counted_and_shown():
    rows = [row(0, 0.5), row(1, 0.7), row(2, None), row(3, metrics={}), row(4, 0.1, "running")]
    rows.append(row(5, 0.0, "failed", reason="nan"))
    (group,) = aggregate(rows, metrics=["val.acc"]).groups
    found = group.spreads["val.acc"]
    assert (found.mean, found.n, found.nan, found.missing, found.unfinished) == (0.6, 2, 1, 1, 2)
    columns, lines = in_words(aggregate(rows, metrics=["val.acc"]))
    assert lines == [["4 of 6, 1 running, 1 failed", "0.60 ± 0.14 (2 of 6, 1 NaN)"]]
    assert columns == ["runs", "val.acc ↑"]
    assert "2 runs not finished" in " ".join(caption(aggregate(rows)))
    (all_of_them,) = aggregate(rows, metrics=["val.acc"], unfinished=True).groups
    assert all_of_them.spreads["val.acc"].n == 4


def test_words_follow_the_goal():
    high, low = [0.9, 0.91, 0.92, 0.9, 0.93], [0.5, 0.52, 0.51, 0.49, 0.5]
    assert word(cells(low, high)).word == "better"
    assert word(cells(high, low)).word == "worse"
    assert word(cells(low, high, goal="min")).word == "worse"
    assert word(cells(low, high, goal=None)).word == "higher (goal unknown)"
    assert word(cells(low, [v + 0.01 * (-1) ** n for n, v in enumerate(low)])).word == "within the spread"
    assert word(cells(low, low)).word == "within the spread"


def test_one_run_is_never_within_a_spread():
    for rows in (cells([0.5], [0.9]), cells([0.5, 0.6, 0.7], [0.9]), cells([0.5, None], [0.9, 0.8])):
        found = word(rows)
        assert (found.word, found.p) == ("one run", None) and found.difference > 0
    assert word(cells([0.5, 0.6], [None, None])).word == "no run"
    assert word(cells([0.5, 0.6], [0.7, 0.8], state="running")).word == "no run"


def test_two_equal_differences_are_no_proof():
    found = word(cells([0.5, 0.6], [0.6, 0.7]))
    assert (found.word, found.p, found.test) == ("within the spread", 0.5, "permutation")


def test_many_groups_find_less_than_one():
    draw = random.Random(1)
    noise = [[draw.gauss(0, 0.005) for _ in range(5)] for _ in range(20)]
    base, shifted = noise[0], [v + 0.025 for v in noise[1]]
    alone, among = word(cells(base, shifted)), word(cells(base, shifted, *noise[2:]))
    assert alone.p == among.p == alone.adjusted and alone.word == "better"
    assert among.adjusted > 0.05 and among.word == "within the spread"


def test_pairs_are_of_one_fold_and_repeat():
    rows = []
    for cell in (0, 1):
        for repeat in (0, 1):
            for fold in range(5):
                value = 0.5 + 0.1 * fold + 0.02 * cell + 0.001 * repeat * fold * (-1) ** cell
                params = {"optimizer.lr": cell, "train.seed": 7 + cell, "validate.fold": fold}
                params |= {"validate.scheme": "kfold", "validate.folds": 5, "validate.seed": 0}
                rows.append(
                    row(len(rows), value, params=params, repeat=repeat, fold=fold, title=f"cell {cell}")
                )
    found = word(rows)
    assert (found.n, found.test, found.word) == (10, "corrected resampled t", "better")
    found = word([{**one, "repeat": None} for one in rows])
    assert found.test == "corrected Welch t (unpaired)", "two runs of a group stand in one place"
    assert {overlap for *_, overlap in map(_place, rows)} == {1 / 4}
    assert [group.label for group in aggregate(rows).groups] == ["cell 0", "cell 1"]


def test_splits_drawn_anew_widen_the_variance_and_other_folds_do_not_pair():
    params = {"validate.scheme": "holdout", "validate.val": 0.2, "validate.test": 0.0}
    rows = [
        row(10 * cell + n, 0.5 + 0.1 * cell + 0.01 * n * n * (-1) ** cell,
            params={**params, "optimizer.lr": cell, "train.seed": 0, "validate.seed": n})
        for cell in (0, 1) for n in range(4)
    ]  # fmt: skip
    assert word(rows).test == "corrected resampled t"
    assert _place(rows[0])[-1] == pytest.approx(0.25)
    for one in rows[4:]:
        one["params"]["validate.val"] = 0.5
    assert word(rows).test == "corrected Welch t (unpaired)"


def test_protocols_stand_side_by_side():
    test = {"at_best": 0.4, "last": 0.3, "best": 0.9, "best_step": 1, "min": 0.1, "max": 0.9, "goal": "max"}
    rows = cells([0.5, 0.6])
    for one in rows:
        one["metrics"]["test.acc"] = test
    assert figures(rows) == ["val.acc", "test.acc"]
    assert protocols(rows) == ["val.acc", "val.acc.last", "test.acc", "test.acc.last"]
    table = aggregate(rows, metrics=[*protocols(rows), "test.acc.max", "duration"])
    means = [found.mean for found in table.groups[0].spreads.values()]
    assert means == pytest.approx([0.55, 0.45, 0.4, 0.3, 0.9, 1.0])
    assert [column.goal for column in table.columns] == ["max"] * 5 + [None]


def test_what_no_run_has_is_named():
    rows = cells([0.5, 0.6], [0.7])
    for wrong in ({"keys": ["optimizer.rl"]}, {"metrics": ["val.ac"]}):
        with pytest.raises(FilterError, match=r"did you mean '(optimizer\.lr|val\.acc)'"):
            aggregate(rows, **wrong)
    with pytest.raises(FilterError, match="no figure"):
        aggregate(rows, metrics=["state"])
    with pytest.raises(FilterError, match="baseline"):
        aggregate(rows, baseline=["20260101-000000-y-0000"])
    with pytest.raises(FilterError, match=r"no column 'x'; it has val\.acc, optimizer\.lr"):
        aggregate(rows).sort("x")
    assert aggregate([]).groups == []


def test_groups_stand_in_the_order_of_their_cells_also_where_a_run_was_made_again():
    rows = cells([0.5, 0.6], [0.7])
    for one, (cell, repeat) in zip(rows, [(1, 1), (1, 0), (0, 0)], strict=True):
        one |= {"cell": cell, "repeat": repeat}
    table = aggregate(rows)
    assert [group.values["optimizer.lr"] for group in table.groups] == [1, 0]
    assert [row["repeat"] for row in table.groups[1].rows] == [0, 1]


def test_groups_are_sorted_with_missing_ones_last():
    table = aggregate(cells([0.5, 0.6], [None], [0.9, 0.1, 0.2]))
    for key, expected in [
        ("val.acc", [2, 0, 1]), ("-val.acc", [0, 2, 1]), ("-n", [2, 0, 1]), ("-optimizer.lr", [2, 1, 0]),
    ]:  # fmt: skip
        table.sort(key)
        assert [group.values["optimizer.lr"] for group in table.groups] == expected
    table.sort("-val.acc", "max")
    assert table.groups[0].values["optimizer.lr"] == 2


@pytest.mark.parametrize(
    "mean, std, text",
    [
        (0.91234, 0.01432, "0.912 ± 0.014"),
        (12.3, 4.0, "12.3 ± 4.0"),
        (12345.6, 200.0, "12346 ± 200"),
        (0.5, 0.0, "0.5 ± 0"),
        (0.5, 1e-12, "0.5 ± 1e-12"),
        (1e300, math.inf, "1e300 ± inf"),
    ],
)
def test_means_are_rounded_where_their_deviation_begins(mean, std, text):
    assert plus_minus(mean, std).replace("+", "") == text


def test_other_statistics_are_shown_alone():
    assert spread_text(spread([1.0, 2.0, 9.0]), 3, "median") == "2 (3)"
    assert spread_text(spread([1.0]), 1) == "1 (1)" and spread_text(Spread(), 2) == "– (0 of 2)"


def test_numbers_for_programs_have_a_name_each():
    columns, lines = in_numbers(aggregate(cells([0.5, 0.6], [0.7, 0.9]), baseline=["20260101-000000-x-0000"]))
    assert len(columns) == len(set(columns)) == len(lines[0]) == len(lines[1])
    assert dict(zip(columns, lines[1], strict=True))["val.acc difference"] == pytest.approx(0.25)


def test_ten_thousand_runs_are_grouped_at_once():
    options = {f"params.option_{n}": n * 0.5 for n in range(40)}
    rows = [row(n, 0.5, params={**options, "optimizer.lr": n % 100}) for n in range(10_000)]
    began = time.process_time()
    table = aggregate(rows, metrics=["val.acc", "val.acc.last"], baseline=[rows[0]["id"]])
    assert len(table.groups) == 100 and time.process_time() - began < 1.5  # a fifth of it, when idle


def test_what_a_kind_alone_has_is_not_named_beside_the_kind():
    adam = {"optimizer.name": "adam", "optimizer.betas": [0.9, 0.999]}
    sgd = {"optimizer.name": "sgd", "optimizer.momentum": 0.9}
    assert hyperparameters([row(1, params=adam), row(2, params=sgd)]) == ["optimizer.name"]
    other = row(3, params=sgd | {"optimizer.momentum": 0.5})
    assert hyperparameters([row(1, params=adam), row(2, params=sgd), other]) == [
        "optimizer.name",
        "optimizer.momentum",
    ]
