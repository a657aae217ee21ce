"""The gesture notebook's story: 24 experiments from its own file, and a disk that was full after 12 of them and
after 21."""

from __future__ import annotations

import csv
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Cli
from launch_lab import end_all
from recipe_lab import RECIPES

from labtui.data.gestures_sim import make
from labtui.query import Lab, open_lab

FILE = RECIPES / "gesture/experiments-conv3d.json"
BASE = """
name = "story"

[data]
name = "gestures"
path = "{data}"
frames = 4
size = [8, 8]

[model]
name = "conv3d"
channels = [4, 4]
hidden = 12000

[train]
statistics = 0

[validate]
scheme = "file"
every = 10

[checkpoints]
interval = 1e6

[resources]
threads = 1
min_free = {least}
"""
RUNS = {"SGD": 2.63, "Adagrad": 3.79, "Adam": 4.95, "Nadam": 4.95}
"""MB of a finished run, nearly all of it weights: its best and its last ones, beside those of the optimiser."""
LEAST = 3.0
"""MB with which a run starts. One that has written its best weights and has no room for its last ones leaves
less."""
ROOM = 3.65
"""MB in which a run of Adam starts and does not end; half a MB more or less does not matter."""


def grow(disk: Path, megabytes: float) -> None:
    """Give a disk another size."""
    size = f"remount,size={megabytes * 1e6:.0f}"
    subprocess.run(["mount", "-o", size, str(disk)], check=True)


def table(lab: Lab) -> list[tuple[str, str]]:
    """Title and state of each run, in the order of the cells."""
    rows = sorted(lab.runs(), key=lambda row: row.cell)
    return [(row.title, f"{row.state} {row.reason}".strip()) for row in rows]


def until(lab: Lab, finished: int, full: int = 0) -> None:
    """Wait until the first so many runs are finished, the next failed on the full disk, and others wait."""
    states = ["finished"] * finished + ["failed disk-full"] * full
    states += ["queued"] * (24 - len(states))
    end = time.monotonic() + 250
    while (found := [state for _, state in table(lab)]) != states:
        over = [state for state in found if state not in ("finished", "queued", "running")]
        assert len(over) <= full and found.count("finished") <= finished, found
        assert time.monotonic() < end, found
        time.sleep(0.3)


@pytest.mark.timeout(600)
def test_24_experiments_on_a_disk_that_fills_up_twice(
    cli: Cli, small_disk: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiments = json.loads(FILE.read_text())["parameters"]
    taken = [sum(RUNS[one["optimizer"]] for one in experiments[:count]) for count in (12, 21)]
    disk = small_disk(f"{(taken[0] + ROOM) * 1e6:.0f}")
    monkeypatch.chdir(disk)
    (disk / "labtui.toml").write_text("[slots]\ncores = 1\n")  # one after the other
    make(tmp_path / "data", seconds=1.4, videos={"train": 10, "val": 5})
    base = tmp_path / "base.toml"
    base.write_text(BASE.format(data=tmp_path / "data", least=LEAST / 1000))
    lab = open_lab(disk)
    try:
        assert cli("import", str(FILE), "--recipe", str(base), "-o", "story.toml")[0] == 0
        assert cli("run", "story.toml", "--detach")[0] == 0
        sweep = lab.runs()[0].sweep
        for finished, size in ((12, taken[1] + ROOM), (21, 200)):
            until(lab, finished, full=1)
            status, out, _ = cli("show", sweep)  # nobody can write, and everybody can look
            assert status == 0 and out.count("Experiment - ") >= 24 and "disk-full" in cli("ls")[1]
            assert cli("stop", sweep)[0] == 0  # so that it goes on in order
            grow(disk, size)
            assert cli("resume", sweep, "--detach")[0] == 0
        until(lab, 24)

        titles = [one["title"] for one in experiments]
        assert [title for title, _ in table(lab)] == titles
        begun = {row.title: len(list(lab.paths.run(row.id).root.glob("claim-*"))) for row in lab.runs()}
        assert [title for title, times in begun.items() if times > 1] == [
            "Experiment - 22",
            "Experiment - 13",
        ]
        status, out, _ = cli("ls", "--format", "json")
        rows = json.loads(out)
        assert status == 0 and len(rows) == len({row["key"] for row in rows}) == 24
        assert {row["sweep"] for row in rows} == {sweep}
        assert all(row["metrics"]["val.loss"]["best"] is not None for row in rows)

        status, out, _ = cli("show", sweep, "--format", "csv")
        header, *lines = csv.reader(out.splitlines())
        assert [dict(zip(header, line, strict=True))["title"] for line in lines] == titles

        status, _, err = cli("resume", sweep)
        assert status == 0 and "nothing to resume" in err and len(lab.runs("state=finished")) == 24
    finally:
        end_all(disk)
