"""A program of the user's own under the torch-free wrapper."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from engine_lab import make, result_of, until, worker

from labtui.errors import RecipeError
from labtui.files.paths import RunPaths
from labtui.recipe.placeholders import fill


def command(root: Path, code: str, *words: str, **tables: Any) -> RunPaths:
    """A run of a little script in the lab `root`."""
    (root / "script.py").write_text(code)
    return make(
        root,
        {"format": 1, "name": "own", "command": [sys.executable, "script.py", *words], **tables},
    )


def test_arguments_environment_and_output(tmp_path: Path) -> None:
    code = """
import json, os, sys
print(json.dumps([sys.argv[1:], os.getcwd(), os.environ["LABTUI_RUN"]]))
"""
    tables = {"params": {"lr": 1e-3, "name": "a; rm -rf $HOME *"}}
    words = ["--lr={params.lr}", "{params.name}", '{"json": {}}']
    paths = command(tmp_path, code, *words, **tables)
    assert worker(paths).wait(30) == 0
    arguments, folder, run = json.loads(paths.log.read_text())
    assert arguments == ["--lr=0.001", "a; rm -rf $HOME *", '{"json": {}}']
    assert (folder, run) == (str(tmp_path), str(paths.root))
    assert result_of(paths)["outcome"] == "finished"
    assert json.loads(paths.environment.read_text())["versions"]["python"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit(3)", "ended with exit status 3"),
        ("import os; os.kill(os.getpid(), 11)", "was ended by SIGSEGV"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL (out of memory"),
    ],
)
def test_failures_name_the_exit_status(tmp_path: Path, code: str, message: str) -> None:
    paths = command(tmp_path, code)
    assert worker(paths).wait(30) == 1
    result = result_of(paths)
    assert (result["outcome"], result["reason"]) == ("failed", "error")
    assert message in result["message"]


def test_no_such_program(tmp_path: Path) -> None:
    paths = make(tmp_path, {"format": 1, "name": "own", "command": ["./not-there"]})
    assert worker(paths).wait(30) == 1
    assert result_of(paths)["reason"] == "launch"
    assert "./not-there cannot be started (No such file" in result_of(paths)["message"]


SLEEPY = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("asked"), sys.exit(0)))
child = subprocess.Popen(["sleep", "1000"])
print(child.pid)
print("ready")
time.sleep(1000)
"""


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("how", ["stop", "kill", "SIGTERM"])
def test_a_stop_reaches_the_whole_group(tmp_path: Path, how: str) -> None:
    paths = command(tmp_path, SLEEPY)
    process = worker(paths)
    until(lambda: "ready" in paths.log.read_text())
    if how == "SIGTERM":
        process.send_signal(signal.SIGTERM)
    else:
        paths.control.write_text(json.dumps({"attempt": 1, "action": how}))
    assert process.wait(20) == 0
    assert result_of(paths)["outcome"] == "stopped"
    words = paths.log.read_text().split()
    assert ("asked" in words) is (how != "kill")
    until(lambda: gone(int(words[0])), 5)


@pytest.mark.parametrize(("seconds", "said"), [("0.5", False), ("60", True)])
def test_what_the_program_leaves_running_ends_with_it(tmp_path: Path, seconds: str, said: bool) -> None:
    """What is about to end by itself is waited for."""
    code = f"import subprocess; print(subprocess.Popen(['sh', '-c', 'sleep {seconds}; echo done']).pid)"
    paths = command(tmp_path, code)
    assert worker(paths).wait(30) == 0
    log = paths.log.read_text()
    assert gone(int(log.split()[0])) and ("left running" in log) is said and ("done" in log) is not said
    assert result_of(paths)["outcome"] == "finished"


def test_the_program_ends_with_a_killed_wrapper(tmp_path: Path) -> None:
    paths = command(tmp_path, "import os, time; print(os.getpid(), 'ready'); time.sleep(1000)")
    process = worker(paths)
    until(lambda: "ready" in paths.log.read_text())
    process.kill()
    process.wait()
    until(lambda: gone(int(paths.log.read_text().split()[0])), 5)


def test_the_wrapper_never_loads_torch(tmp_path: Path) -> None:
    code = "import os; print(open(f'/proc/{os.getppid()}/maps').read())"
    paths = command(tmp_path, code)
    assert worker(paths).wait(30) == 0
    assert "torch" not in paths.log.read_text()


@pytest.mark.parametrize(
    ("word", "filled"),
    [
        ("{train.epochs}", "3"),
        ("a{train.epochs}b{name}", "a3bn"),
        ("{params.on}{params.list}", 'true[1, "ü"]'),
        ("{}", "{}"),
        ("{ train.epochs }", "{ train.epochs }"),
        ("{{name}}", "{n}"),
        ("{0} {:>3}", "{0} {:>3}"),
    ],
)
def test_placeholders(word: str, filled: str) -> None:
    tables = {"name": "n", "train": {"epochs": 3}, "params": {"on": True, "list": [1, "ü"]}}
    assert fill([word], tables) == [filled]


def test_placeholders_are_look_ups_only() -> None:
    assert fill(["{a}"], {"a": "{b}", "b": "x"}) == ["{b}"]
    with pytest.raises(RecipeError, match=r"no value 'optimizer\.lrr'; nearest: optimizer\.lr"):
        fill(["{optimizer.lrr}"], {"optimizer": {"lr": 0.1}})
    with pytest.raises(RecipeError, match="no value 'optimizer'"):
        fill(["{optimizer}"], {"optimizer": {"lr": 0.1}})
