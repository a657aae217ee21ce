"""The machine's metrics: recorded beside a training, as often as asked, and never after its end."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

import labtui
from labtui import series
from labtui.engine.machine import observed
from labtui.files.paths import LabPaths


@pytest.fixture
def lab(tmp_path: Path) -> LabPaths:
    (tmp_path / "runs" / ".labtui").mkdir(parents=True)
    return LabPaths(tmp_path)


def test_what_the_machine_does_is_recorded_beside_the_steps(lab, tmp_path, monkeypatch):
    gpus = [
        {"index": 1, "memory_total": 10**10, "memory_used": 4 * 10**9, "utilization": 71, "temperature": 50}
    ]
    (tmp_path / "gpus.json").write_text(json.dumps(gpus))
    monkeypatch.setenv("LABTUI_GPU_INVENTORY", str(tmp_path / "gpus.json"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "labtui.toml").write_text("[machine]\nevery = 0.05\n")
    with labtui.init("x", lab=tmp_path) as run:
        with observed(lab, lambda: [run]):
            run.log({"train.loss": 1.0}, step=7)
            end = time.monotonic() + 10
            while time.monotonic() < end and "sys.cpu" not in series.read_all(run.paths):
                time.sleep(0.05)
        run.flush()
        found = series.read_all(run.paths)
        time.sleep(0.2)
        run.flush()
        assert [len(one.steps) for one in series.read_all(run.paths).values()] == [
            len(one.steps) for one in found.values()
        ]
    assert {"sys.memory", "sys.process_memory", "sys.disk_free", "sys.cpu"} <= set(found)
    assert found["sys.gpu1.use"].values[0] == 71 and found["sys.gpu1.memory"].values[0] == 4
    assert found["sys.gpu1.temperature"].values[0] == 50 and set(found["sys.cpu"].steps) == {7}
    assert ((found["sys.cpu"].values >= 0) & (found["sys.cpu"].values <= 100)).all()
    assert run.step == 7


def test_it_is_not_looked_at_where_that_is_not_wanted(lab, tmp_path):
    (tmp_path / "labtui.toml").write_text("[machine]\nevery = 0\n")
    with labtui.init("x", lab=tmp_path) as run:
        with observed(lab, lambda: [run]):
            time.sleep(0.1)
        run.flush()
    assert series.read_all(run.paths) == {}
