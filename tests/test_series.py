"""Summaries: the same figures however often they were continued."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui import series
from labtui.files.metriclog import MetricLog
from labtui.files.paths import RunPaths

GOALS = {"x": "max"}
steps = st.lists(
    st.tuples(
        st.sampled_from(["val.acc", "val.loss", "x", "sys.cpu", "VOID"]),
        st.integers(0, 12),
        st.floats(-5, 5) | st.sampled_from([math.nan, math.inf]),
    ),
    max_size=40,
)


def write(log: MetricLog, rows) -> None:
    for name, step, value in rows:
        if name == "VOID":
            log.void_after(step)
        else:
            log.log({name: value}, step)


@given(rows=steps, cuts=st.lists(st.integers(0, 40), max_size=4), ordered=st.booleans())
@settings(max_examples=150, deadline=None)
def test_continued_summaries_equal_one_from_the_start(rows, cuts, ordered, tmp_path_factory):
    paths = RunPaths(tmp_path_factory.mktemp("run"))
    if ordered:
        rows = sorted(rows, key=lambda row: row[1])
    log = MetricLog(paths)
    summary, at = series.EMPTY, 0
    for cut in [*sorted(cuts), len(rows)]:
        write(log, rows[at:cut])
        at = max(at, cut)
        log.flush()
        summary = series.summarise(paths, "val.acc", GOALS, summary)
    log.close()
    assert summary.metrics == series.summarise(paths, "val.acc", GOALS).metrics


def test_at_best_is_the_value_at_the_monitored_best(tmp_path):
    paths = RunPaths(tmp_path)
    log = MetricLog(paths)
    for step, (loss, acc, test) in enumerate([(3, 0.1, 0.5), (2, 0.9, 0.6), (1, 0.4, 0.99)]):
        log.log({"val.loss": float(loss)}, step)
        log.log({"val.acc": acc, "test.acc": test}, step)
    log.close()
    metrics = series.summarise(paths, "val.acc").metrics
    assert metrics["test.acc"]["at_best"] == 0.6 and metrics["test.acc"]["best"] == 0.99
    assert metrics["val.loss"]["at_best"] == 2 and metrics["val.loss"]["best_step"] == 2
    assert metrics["val.loss"] == {
        "at_best": 2, "last": 1, "best": 1, "best_step": 2, "min": 1, "max": 3, "goal": "min",
    }  # fmt: skip


def test_nan_is_counted_and_never_best(tmp_path):
    paths = RunPaths(tmp_path)
    log = MetricLog(paths)
    for step, value in enumerate([math.nan, 1.0, math.inf, math.nan]):
        log.log({"val.loss": value}, step)
    log.close()
    entry = series.summarise(paths, "val.loss").metrics["val.loss"]
    assert (entry["best"], entry["last"], entry["nonfinite"]) == (1.0, None, 3)


def test_a_log_that_shrank_is_read_from_the_start(tmp_path):
    paths = RunPaths(tmp_path)
    log = MetricLog(paths)
    log.log({"x": 1.0, "y": 2.0}, 1)
    log.close()
    known = series.summarise(paths, "")
    paths.metrics.write_bytes(paths.metrics.read_bytes()[:32])
    assert list(series.summarise(paths, "", None, known).metrics) == ["x"]


@pytest.mark.parametrize("name", ["x", "nothing"])
def test_a_run_without_metrics_reads_as_empty(tmp_path, name):
    paths = RunPaths(tmp_path)
    assert len(series.read(paths, name).values) == 0
    assert series.read_all(paths) == {}
    assert series.summarise(paths) == series.EMPTY
