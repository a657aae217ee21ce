"""The Python API: scripts that write, readers that read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from launch_lab import start

import labtui


def script(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    path = folder / "script.py"
    path.write_text(code)
    return subprocess.run(
        [sys.executable, str(path)],
        cwd=folder,
        capture_output=True,
        env=os.environ | environment,
        check=False,
    )


def test_what_a_script_writes_is_read(lab):
    with labtui.init(
        "实验 [bold]", params={"lr": 1e-3, "path": Path("x"), "sizes": (1, 2), "np": np.float64(2.5), "no": None},
        tags=["try"], goals={"score2": "max"}, monitor="score2", description="d",
    ) as run:  # fmt: skip
        for step in range(10):
            run.log({"score2": step % 7, "train.loss": np.float32(1.0)}, step=step)
        run.artifact("matrix", [[1, float("nan")], [3, 4]])
        run.artifact("arrays", {"a": np.arange(3), "b": np.zeros((2, 2))})
        assert labtui.open(lab).run(run.id).row.state == "running"
    found = labtui.open(lab).run("@last")
    assert (found.row.state, found.row.name, found.row.tags) == ("finished", "实验 [bold]", ["try"])
    assert found.row.params["params.lr"] == 1e-3 and found.row.params["params.sizes"] == [1, 2]
    assert found.row.metrics["score2"].at_best == 6 and found.row.metrics["score2"].goal == "max"
    assert found.status().result["best"]["step"] == 6
    assert found.status().result["last"]["score2"] == 2
    assert found.series("score2").values.tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]
    assert found.artifact("matrix") == [[1, None], [3, 4]]
    assert found.artifact("arrays")["a"].tolist() == [0, 1, 2]
    assert found.artifact("nothing") is None


def test_an_error_in_the_block_is_the_runs_end(lab):
    with pytest.raises(ZeroDivisionError), labtui.init("x"):
        1 / 0  # noqa: B018
    status = labtui.open(lab).run("@last").status()
    assert (status.state, status.reason) == ("failed", "error")
    assert "ZeroDivisionError" in status.message and "test_api" in status.result["traceback"]


@pytest.mark.parametrize(
    "ending, state, status",
    [
        ("", "finished", 0),
        ("raise ValueError('why')", "failed", 1),
        ("raise KeyboardInterrupt", "stopped", -2),
        ("run.finish('stopped')", "stopped", 0),
        ("with run: raise SystemExit(0)", "finished", 0),
        ("with run: raise SystemExit('no licence')", "failed", 1),
    ],
)
def test_a_script_without_a_block_ends_its_run_too(lab, ending, state, status):
    done = script(f"import labtui\nrun = labtui.init('x')\nrun.log({{'a': 1}})\n{ending}\n", lab)
    assert done.returncode == status, done.stderr
    found = labtui.open(lab).run("@last")
    assert found.row.state == state and found.series("a").values.tolist() == [1]


def test_two_runs_in_one_process_end_apart(lab):
    first = labtui.init("first")
    first.finish()
    second = labtui.init("second")
    assert [row.state for row in labtui.open(lab).runs(sort="created")] == ["finished", "running"]
    second.finish()
    second.finish("failed")
    assert labtui.open(lab).run(second.id).row.state == "finished", "the first word counts"


def test_a_killed_script_is_lost_with_its_metrics(lab):
    path = lab / "s.py"
    path.write_text(
        "import labtui,time\nr=labtui.init('x')\nr.log({'a':1.0},1)\nprint('x',flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, str(path)], cwd=lab, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        time.sleep(0.3)
        child.send_signal(signal.SIGKILL)
    found = labtui.open(lab).run("@last")
    assert found.row.state == "lost" and found.series("a").values.tolist() == [1.0]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_end_its_parents_run(lab):
    done = script(
        "import labtui, os\nrun = labtui.init('x')\nrun.log({'a': 1.0}, 1)\n"
        "if os.fork() == 0:\n    run.log({'a': 9.0}, 9); run.finish('failed'); raise SystemExit\n"
        "os.wait(); run.log({'a': 2.0}, 2)\n",
        lab,
    )
    assert done.returncode == 0
    found = labtui.open(lab).run("@last")
    assert found.row.state == "finished" and found.series("a").values.tolist() == [1, 2]


def test_what_cannot_be_kept_says_why(lab):
    with pytest.raises(labtui.LabtuiError, match="TOML"):
        labtui.init("x", params={"model": object()})
    with pytest.raises(labtui.LabtuiError, match="goals"):
        labtui.init("x", goals={"a": "up"})
    with labtui.init("x") as run:
        for name in ("", "../x", ".x", "a/b", "a\0"):
            with pytest.raises(labtui.LabtuiError, match="plain file name"):
                run.artifact(name, 1)
    (lab / "file").touch()
    with pytest.raises(labtui.LabtuiError):
        labtui.init("x", lab=lab / "file")


def test_a_script_in_a_command_joins_that_run(lab):
    from labtui import launch
    from labtui.files.paths import LabPaths
    from labtui.recipe.read import check

    (lab / "s.py").write_text(
        "import labtui, sys\nwith labtui.init('other', monitor='x') as run:\n"
        "    run.log({'val.acc': 0.5}, 3)\n    run.artifact('seen', sys.argv)\n"
    )
    tables = {"name": "cmd", "command": ["python", "s.py", "{params.a}"], "params": {"a": "$HOME; x"}}
    paths = LabPaths(lab)
    (run,) = launch.enqueue(paths, [check(tables, "c.toml").tables() | {"origin": {"file": "c.toml"}}])
    start(paths, run).wait()
    rows = labtui.open(lab).runs()
    assert len(rows) == 1 and rows[0].state == "finished" and rows[0].name == "cmd"
    assert rows[0].metrics["val.acc"].last == 0.5
    assert json.loads((run.artifacts / "seen.json").read_text()) == ["s.py", "$HOME; x"]
    assert run.heartbeat.exists()


def test_a_resumed_command_does_not_double_its_curve(lab):
    from labtui import launch
    from labtui.files.paths import LabPaths
    from labtui.recipe.read import check
    from labtui.sweep import expand

    (lab / "s.py").write_text(
        "import labtui, sys, os\nwith labtui.init() as run:\n"
        "    for step in range(5): run.log({'x': float(step)}, step)\n"
        f"sys.exit(0 if os.path.exists({str(lab / 'ready')!r}) else 1)\n"
    )
    paths = LabPaths(lab)
    (one,) = expand(check({"name": "cmd", "command": ["python", "s.py"]}, "c.toml"), "c.toml")
    (run,) = launch.enqueue(paths, [one.tables()])
    start(paths, run).wait()
    (lab / "ready").touch()
    launch.resume(run)
    start(paths, run).wait()
    found = labtui.open(lab).run("@last")
    assert found.row.state == "finished" and found.series("x").values.tolist() == [0, 1, 2, 3, 4]
