"""The metric log: what is logged is read back, whatever tears it."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui import series
from labtui.errors import LabError
from labtui.files.metriclog import RECORD, MetricLog
from labtui.files.paths import RunPaths


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    return RunPaths(tmp_path)


numbers = st.floats(width=64) | st.integers(-(2**53), 2**53) | st.booleans()
calls = st.lists(
    st.tuples(st.dictionaries(st.text(max_size=8), numbers, max_size=4), st.integers(-(2**63), 2**63 - 1)),
    max_size=30,
)


@given(calls=calls)
@settings(max_examples=60, deadline=None)
def test_all_that_is_logged_is_read_back(calls, tmp_path_factory):
    paths = RunPaths(tmp_path_factory.mktemp("run"))
    log = MetricLog(paths)
    expected = [(name, step, float(value)) for metrics, step in calls for name, value in metrics.items()]
    for metrics, step in calls:
        log.log(metrics, step)
    assert log.close()
    found = series.records(paths)
    assert [s for _, s, _ in expected] == found["step"].tolist()
    np.testing.assert_array_equal([v for _, _, v in expected], found["value"])
    names = series.names(paths)
    for (name, _, _), key in zip(expected, found["key"].tolist(), strict=True):
        if name.isprintable() and name:
            assert names[key] == name


def test_values_may_be_nan_and_infinite(paths):
    log = MetricLog(paths)
    for step, value in enumerate([math.nan, math.inf, -math.inf, 0.5]):
        log.log({"x": value}, step)
    log.close()
    np.testing.assert_array_equal(series.read(paths, "x").values, [math.nan, math.inf, -math.inf, 0.5])


def test_steps_count_up_when_none_is_given(paths):
    log = MetricLog(paths)
    log.log({"x": 1.0})
    log.log({"x": 1.0}, 10)
    log.log({"x": 1.0})
    log.close()
    assert series.read(paths, "x").steps.tolist() == [1, 10, 11]


@pytest.mark.parametrize("bad", [{"x": "word"}, {"x": None}, {"x": [1, 2]}, None, 3, {"x": 10**400}])
def test_what_is_no_number_never_raises_and_costs_no_other_value(paths, bad, capfd):
    log = MetricLog(paths)
    log.log(bad, 1)
    log.log({"y": 2.0}, 2)
    log.close()
    assert series.read(paths, "y").values.tolist() == [2.0]
    assert "labtui:" in capfd.readouterr().err


def test_a_tensor_changed_later_keeps_its_logged_value(paths):
    torch = pytest.importorskip("torch")
    log = MetricLog(paths)
    loss = torch.tensor(1.5, requires_grad=True)
    total = torch.zeros(())
    log.log({"loss": loss, "total": total}, 1)
    total += 7
    log.log({"loss": 2.0, "total": 3.0}, 2)
    log.close()
    assert series.read(paths, "loss").values.tolist() == [1.5, 2.0]
    assert series.read(paths, "total").values.tolist() == [0.0, 3.0]


def test_a_torn_tail_is_ignored_and_cut_off(paths):
    log = MetricLog(paths)
    log.log({"a": 1.0, "b": 2.0}, 1)
    log.close()
    with open(paths.metrics, "ab") as file:
        file.write(b"\x07" * (RECORD - 5))
    with open(paths.keys, "ab") as file:
        file.write(b"c-tor")
    assert series.names(paths) == ["a", "b"]
    assert series.read(paths, "b").values.tolist() == [2.0]
    log = MetricLog(paths)
    log.log({"c": 3.0}, 2)
    log.close()
    assert series.names(paths) == ["a", "b", "c"]
    assert {n: s.values.tolist() for n, s in series.read_all(paths).items()} == {"a": [1], "b": [2], "c": [3]}


def test_a_name_cannot_break_the_list_of_names(paths):
    log = MetricLog(paths)
    log.log({"a\nb": 1.0, "\ud800": 2.0, "损失": 3.0, "": 4.0}, 1)
    log.close()
    assert len(series.names(paths)) == 4
    assert series.read(paths, "损失").values.tolist() == [3.0]


def test_a_resume_voids_what_came_after_its_checkpoint(paths):
    log = MetricLog(paths)
    for step in range(10):
        log.log({"loss": float(step), "sys.gpu": float(step)}, step)
    log.close()
    log = MetricLog(paths)
    log.void_after(5)
    for step in range(6, 8):
        log.log({"loss": 100.0 + step}, step)
    log.close()
    assert series.read(paths, "loss").values.tolist() == [0, 1, 2, 3, 4, 5, 106, 107]
    assert len(series.read(paths, "sys.gpu").values) == 10


def test_only_one_process_writes_a_log(paths):
    log = MetricLog(paths)
    with pytest.raises(LabError, match="another process"):
        MetricLog(paths)
    log.close()
    MetricLog(paths).close()


def test_many_threads_lose_nothing(paths):
    log = MetricLog(paths)

    def write(name: str) -> None:
        for step in range(2000):
            log.log({name: float(step)}, step)

    threads = [threading.Thread(target=write, args=(f"t{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    found = series.read_all(paths)
    assert {name: s.values.tolist() for name, s in found.items()} == {
        f"t{i}": list(range(2000)) for i in range(8)
    }


def test_a_full_disk_keeps_the_tail_until_there_is_room(paths, monkeypatch, capfd):
    """A write that takes only a part, then fails: the tail comes later, whole."""
    log = MetricLog(paths)
    log.log({"x": 1.0}, 1)
    log.flush()
    real, room = os.write, [40]

    def scarce(fd: int, data: bytes) -> int:
        if room[0] <= 0:
            raise OSError(28, "No space left on device")
        taken = real(fd, data[: room[0]])
        room[0] -= taken
        return taken

    monkeypatch.setattr("labtui.files.metriclog.os.write", scarce)
    for step in range(2, 6):
        log.log({"x": float(step)}, step)
    assert not log.flush()
    assert series.read(paths, "x").values.tolist() == [1.0, 2.0]
    monkeypatch.undo()
    assert log.close()
    assert series.read(paths, "x").values.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert "kept in memory" in capfd.readouterr().err


_LOGGER = """
import sys, time
from pathlib import Path
from labtui.files.metriclog import MetricLog
from labtui.files.paths import RunPaths
log = MetricLog(RunPaths(Path(sys.argv[1])))
for step in range(10**9):
    log.log({"t": time.time()}, step)
    time.sleep(0.001)
    if step == 0: print("begun", flush=True)
"""


def test_a_kill_loses_nothing_older_than_a_quarter_second(paths):
    child = subprocess.Popen([sys.executable, "-c", _LOGGER, str(paths.root)], stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.7)
        child.send_signal(signal.SIGKILL)
        killed = time.time()
    values = series.read(paths, "t")
    assert values.steps.tolist() == list(range(len(values.steps)))
    assert values.values[-1] > killed - 0.25 - 0.25, "a quarter of a second, and one for a busy machine"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_writes_none_of_its_parents_rows(paths):
    log = MetricLog(paths)
    with log._writing:  # nothing is written while the child is made
        log.log({"x": 1.0}, 1)
        child = os.fork()
        if child == 0:
            log.log({"x": 99.0}, 2)
            log.flush()
            os._exit(0)
    os.waitpid(child, 0)
    log.close()
    assert series.read(paths, "x").values.tolist() == [1.0]


def test_a_row_that_waits_is_not_overtaken(paths):
    torch = pytest.importorskip("torch")
    log = MetricLog(paths)
    with log._writing:  # so that all of them wait
        log.log({"m": torch.tensor(5.0)}, 1)
        log.log({"m": 1.0, "x": 2.0}, 2)
        log.void_after(1)
        log.log({"m": 7.0}, 2)
    log.close()
    assert series.read(paths, "m").values.tolist() == [5.0, 7.0]
    assert log.last()["m"] == 7.0


def test_logging_after_the_end_is_told_and_costs_nothing(paths, capfd):
    log = MetricLog(paths)
    log.log({"m": 1.0}, 1)
    log.close()
    for step in range(1000):
        log.log({"m": 2.0}, step)
    assert capfd.readouterr().err.count("\n") == 1 and not log._packed
    assert series.read(paths, "m").values.tolist() == [1.0] and log.last() == {"m": 1.0}


def test_a_warning_that_cannot_be_written_harms_nothing(paths, monkeypatch):
    with suppress(OSError), open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stderr", full)
        log = MetricLog(paths)
        log.log({"x": "no number"}, 1)
        log.log({"x": 2.0}, 2)
        assert log.close()
    assert series.read(paths, "x").values.tolist() == [2.0]
