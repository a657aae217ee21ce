"""Sweeps on the command line: followed until they are done, shown, listed, held, stopped, removed."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from launch_lab import eventually
from test_tui_terminal import Terminal

from labtui import launch
from labtui.files.paths import LabPaths
from labtui.files.toml import dumps
from labtui.query import Lab
from labtui.sweep import definition

LOGS = """
import labtui, sys, time
x, seconds = float(sys.argv[1]), float(sys.argv[2])
with labtui.init() as run:
    for epoch in (1, 2):
        run.log({"epoch": epoch, "val.acc": x / 10 + epoch / 100}, epoch)
        time.sleep(seconds)
sys.exit(3 if x == 7 else 0)
"""
"""A program that logs its accuracy, and fails for 7."""
SLEEP = "import time; print('begun', flush=True); time.sleep(60)"


def written(lab: Path, values: list[Any], code: str = LOGS, seconds: float = 0.0, **sweep: Any) -> str:
    """A recipe of one cell for each value."""
    tables = {
        "name": "grid", "command": [sys.executable, "-c", code, "{params.x}", "{params.seconds}"],
        "params": {"x": 0, "seconds": seconds, "seed": 0}, "validate": {"monitor": "val.acc"},
        "sweep": {"space": {"params.x": values}} | sweep,
        "resources": {"gpus": 0, "threads": 1, "min_free": 0},
    }  # fmt: skip
    (lab / "grid.toml").write_bytes(dumps(tables))
    return "grid.toml"


def the_sweep(lab: Path) -> str:
    (sweep,) = {row.sweep for row in Lab(LabPaths(lab)).runs()}
    return str(sweep)


def states(lab: Path) -> Counter[str]:
    return Counter(row.state for row in Lab(LabPaths(lab)).runs())


def test_a_sweep_is_followed_until_all_is_done(cli, lab):
    status, out, err = cli("run", written(lab, [1, 2, 3], repeats=2))
    sweep = the_sweep(lab)
    assert status == 0 and out == "" and states(lab) == {"finished": 6}
    lines = err.splitlines()
    assert lines[0] == f"sweep {sweep}" and "0 of 6 finished" in lines[1]
    ends = [line for line in lines if "/6  finished, cell " in line]
    assert len(ends) == 6 and any("cell 2: x=3, repeat 1, val.acc 0.32" in line for line in ends)
    assert lines[-3:] == [
        "6 of 6 finished",
        "  best: val.acc 0.32 ± 0 (2) in cell 2: x=3",
        f"  labtui report {sweep}",
    ]
    assert cli("resume", sweep)[::2] == (
        0,
        "nothing to resume: all of it is finished, or its budget is spent\n",
    )


def test_what_failed_is_counted_and_gone_on_with(cli, lab):
    status, _, err = cli("run", written(lab, [1, 7]))
    sweep = the_sweep(lab)
    assert status == 1 and "1 of 2 finished · 1 failed" in err and "  failed: 1 error" in err
    assert f"  labtui resume {sweep}" in err
    status, _, err = cli("resume", sweep[16:])
    assert status == 1 and "2/2  failed (error), cell 1: x=7" in err
    assert max(row.attempt for row in Lab(LabPaths(lab)).runs()) == 2


def test_a_detached_sweep_says_how_much_is_to_come(cli, lab):
    status, out, err = cli("run", written(lab, list(range(40)), SLEEP), "--hold")
    sweep = the_sweep(lab)
    assert status == 0 and out.split() == LabPaths(lab).run_ids() and len(out.split()) == 16
    assert err == f"sweep {sweep}: 16 queued, and 24 more to come as these begin\n"
    assert f"{sweep}: 24 more to come" in cli("queue")[2]


def test_what_is_to_come_is_held_and_released_with_the_rest(cli, lab):
    cli("run", written(lab, [1] * 1 + list(range(10, 29))), "--hold")
    sweep = the_sweep(lab)
    paths = LabPaths(lab).sweep(sweep)
    assert (definition.asked(paths) or {})["held"]
    status, out, _ = cli("queue", "priority", "5", sweep)
    assert status == 0 and f"{sweep}  priority 5 what is to come of it" in out
    assert out.count("priority 5") == 17 and (definition.asked(paths) or {})["priority"] == 5
    assert cli("queue", "release", sweep)[0] == 0
    eventually(lambda: states(lab)["finished"] == 20, 120)
    assert not definition.hosts(paths)
    rows = Lab(LabPaths(lab)).runs()
    asked = {json.loads(LabPaths(lab).run(row.id).queue.read_text())["priority"] for row in rows}
    assert asked == {5}


def test_a_sweep_is_shown_whole_in_every_format(cli, lab):
    cli("run", written(lab, [1, 2, 7]))
    sweep = the_sweep(lab)
    status, out, _ = cli("show", sweep)
    assert status == 0 and out.startswith(
        f"{sweep}\ngrid · grid.toml · grid, 3 cells\n2 of 3 finished · 1 failed\n"
    )
    assert "best so far: val.acc 0.22 in cell 1: x=2" in out and "cell  params.x  runs  val.acc ↑" in out
    assert len(out.splitlines()) == 10
    found = json.loads(cli("show", sweep, "--format", "json")[1])
    assert found["counts"] == {"finished": 2, "failed": 1, "to_come": 0} and found["best"] == 1
    assert [cell["values"] for cell in found["cells"]] == [{"params.x": n} for n in (1, 2, 7)]
    assert found["cells"][2]["trainings"][0]["reason"] == "error"
    lines = list(csv.DictReader(io.StringIO(cli("show", sweep, "--format", "csv")[1])))
    assert [(line["params.x"], line["finished"], line["failed"]) for line in lines] == [
        ("1", "1", "0"), ("2", "1", "0"), ("7", "0", "1"),
    ]  # fmt: skip
    assert float(lines[1]["val.acc mean"]) == pytest.approx(0.22)
    assert cli("show", sweep, "--format", "md")[1].startswith("| cell | params.x | runs | val.acc ↑ |")
    listed = json.loads(cli("ls", "--sweeps", "--format", "json")[1])
    assert [(one["sweep"], one["best"], one["counts"]["failed"]) for one in listed] == [(sweep, 1, 1)]
    assert sweep in cli("ls", "--sweeps")[1]
    assert cli("ls", "--sweeps", "--filter", "x=1")[0] == 2
    assert cli("report", sweep[9:], "-o", "report.md")[0] == 0 and sweep in (lab / "report.md").read_text()
    assert cli("stop", sweep)[::2] == (2, "labtui: none of these runs is running or queued\n")


def test_a_sweep_is_stopped_as_a_whole_and_gone_on_with(cli, lab):
    cli("run", written(lab, list(range(30)), SLEEP), "--detach")
    sweep = the_sweep(lab)
    eventually(lambda: states(lab)["running"])
    status, out, _ = cli("stop", sweep[:30])
    assert status == 0 and out.startswith(f"{sweep}  nothing more is made of it\n")
    assert out.count("stopped") >= 16 and not definition.hosts(LabPaths(lab).sweep(sweep))
    assert set(states(lab)) == {"stopped"} and len(LabPaths(lab).run_ids()) < 30
    assert "not made" in cli("show", sweep)[1]
    written(lab, list(range(30)))
    status, _, err = cli("resume", sweep)
    assert (
        status == 1 and "29 of 30 finished · 1 failed" in err
    )  # a run keeps its recipe; new ones have the new


def test_a_sweep_that_runs_is_not_removed(cli, lab):
    cli("run", written(lab, [1, 2], SLEEP), "--detach")
    sweep = the_sweep(lab)
    eventually(lambda: states(lab)["running"] == 2)
    status, _, err = cli("rm", sweep, "--yes")
    assert status == 2 and f"labtui stop {sweep}" in err and len(LabPaths(lab).run_ids()) == 2
    cli("stop", sweep)
    status, _, err = cli("rm", sweep)
    assert status == 2 and "Remove 2 runs and the sweep" in err and LabPaths(lab).sweep(sweep).recipe.exists()
    assert cli("rm", sweep, "--yes")[0] == 0
    assert not LabPaths(lab).run_ids() and not LabPaths(lab).sweep(sweep).root.exists()
    assert cli("show", sweep)[0] == 2


def test_what_is_wrong_with_a_sweep_is_said(cli, lab):
    cli("run", written(lab, [1, 2]), "--hold")
    sweep = the_sweep(lab)
    paths = LabPaths(lab).sweep(sweep)
    kept = paths.recipe.read_bytes()
    paths.recipe.write_text("name = [")
    status, out, err = cli("show", sweep)
    assert status == 2 and "2 queued" in out and str(paths.recipe) in err
    assert cli("resume", sweep)[0] == 2
    paths.recipe.unlink()
    status, out, err = cli("show", sweep)
    assert status == 0 and "2 queued" in out and "has no definition" in err
    paths.recipe.write_bytes(kept)
    for run_id in LabPaths(lab).run_ids():
        launch.remove(LabPaths(lab), LabPaths(lab).run(run_id))
    status, out, _ = cli("show", sweep)
    assert status == 0 and "0 of 2 finished · 2 not made" in out
    assert cli("report", sweep)[0] == cli("stop", sweep)[0] == 2
    assert cli("resume", sweep, "--detach")[0] == 0 and len(LabPaths(lab).run_ids()) == 2
    status, _, err = cli("show", "nothing-of-that-name")
    assert status == 2 and "no such run" in err


@pytest.fixture
def terminal(lab: Path) -> Iterator[Any]:
    opened: list[Terminal] = []

    def begin(*arguments: str, size: tuple[int, int] = (80, 24)) -> Terminal:
        known = {"TERM": "xterm-256color", "LABTUI_LAB": str(lab)}
        opened.append(Terminal([sys.executable, "-m", "labtui", *arguments], size, **known))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def test_on_a_terminal_the_table_fills(terminal, lab):
    one = terminal("run", written(lab, [1, 2, 3, 7], seconds=0.3, repeats=2))
    one.until("0  x=1", "3  x=7  ", "▶", "○")
    one.until("✓✓", "best so far: val.acc 0.")
    assert one.ended() == 1
    one.read(0.2)
    assert "✗✗" in one.text and "6 of 8 finished · 2 failed" in one.text
    assert "labtui resume" in one.text and all(len(line) <= 80 for line in one.screen.display)


@pytest.mark.parametrize("size", [(40, 12), (160, 48)])
def test_of_many_cells_as_many_are_shown_as_fit(terminal, lab, size):
    one = terminal("run", written(lab, list(range(60)), SLEEP), size=size)
    one.until("▶", "more: labtui sh")
    shown = [line for line in one.screen.display if " x=" in line]
    assert 3 < len(shown) < size[1] - 3
    one.press("\x03")
    one.until("stopping the sweep")
    assert one.ended() == 130
    assert set(states(lab)) == {"stopped"} and not definition.hosts(LabPaths(lab).sweep(the_sweep(lab)))
    one.read(0.2)
    assert "labtui resume" in one.text


def test_a_second_ctrl_c_kills(terminal, lab):
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('begun', flush=True); time.sleep(60)"
    one = terminal("run", written(lab, [1, 2], deaf))
    runs = eventually(lambda: LabPaths(lab).run_ids() if len(LabPaths(lab).run_ids()) == 2 else [])
    logs = [LabPaths(lab).run(run_id).log for run_id in runs]
    eventually(lambda: any(log.exists() and b"begun" in log.read_bytes() for log in logs), 60)
    one.press("\x03")
    one.until("stopping the sweep")
    one.press("\x03")
    assert one.ended() == 130
    eventually(lambda: not states(lab)["running"] + states(lab)["queued"])


def test_a_sweep_is_gone_on_with_where_the_terminal_was_closed(terminal, lab):
    one = terminal("run", written(lab, [1, 2], seconds=4.0))
    one.until("▶")
    os.close(one.fd)
    os.waitpid(one.pid, 0)
    one.pid, one.fd = 0, os.open(os.devnull, os.O_RDONLY)
    two = terminal("resume", the_sweep(lab))
    assert two.ended() == 0
    two.read(0.2)
    assert "2 of 2 finished" in two.text
