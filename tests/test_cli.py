"""The command line: what it says, what it leaves on the disk, its exit statuses."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launch_lab import eventually

import labtui
from labtui.files import rundir
from labtui.files.paths import LabPaths
from labtui.run import derive
from labtui.writer import Run

LABTUI = [sys.executable, "-m", "labtui"]


def recipe(lab: Path, code: str, name: str = "prog", **params: object) -> str:
    """A recipe for a Python program, in the lab."""
    from labtui.files.toml import dumps

    path = lab / "prog.toml"
    tables = {"name": name, "command": ["python", "-c", code], "params": params}
    path.write_bytes(dumps({k: v for k, v in tables.items() if v}))
    return str(path)


def a_run(name: str = "exp", **metrics: float) -> str:
    with labtui.init(name, params={"lr": 0.1}, monitor="val.acc") as run:
        run.log(metrics or {"val.acc": 0.5}, 1)
    return run.id


COMMANDS = [
    ["ls"], ["recipes"], ["doctor"], ["schema"], ["show", "@last"], ["logs", "@last"], ["stop", "@last"],
    ["resume", "@last"], ["rm", "@last"], ["tag", "@last", "x"], ["note", "@last", "x"],
    ["compare", "@last", "@last"], ["report", "@last"], ["export", "@last"], ["check", "none.toml"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_every_command_answers_on_an_empty_lab(cli, lab, command):
    status, _, err = cli(*command)
    assert status == (0 if command[0] in ("ls", "recipes", "doctor", "schema") else 2)
    assert "Traceback" not in err and "should not have happened" not in err
    assert not (lab / "runs").exists(), "looking makes nothing"


@pytest.mark.parametrize("command", ["show", "logs", "tag", "report", "export"])
def test_a_prefix_that_fits_two_runs_names_them(cli, lab, command):
    ids = [a_run(), a_run()]
    status, _, err = cli(command, "20", *(["x"] if command == "tag" else []))
    assert status == 2 and all(i in err for i in ids)


def test_running_a_recipe_to_the_end(cli, lab):
    status, _, err = cli("run", recipe(lab, "print('hello')"))
    assert status == 0 and "finished" in err
    assert cli("logs", "@last")[1] == "hello\n"
    row = json.loads(cli("ls", "--format", "json")[1])[0]
    assert row["state"] == "finished" and row["name"] == "prog"
    keys = "id name recipe sweep cell title repeat fold key state reason created started ended duration attempt tags note todo facts params metrics"
    assert set(row) == set(keys.split())


def test_a_failing_program_is_a_failed_run(cli, lab):
    status, _, err = cli("run", recipe(lab, "import sys; print('the reason'); sys.exit(7)"))
    assert status == 1 and "failed (error)" in err and "7" in err
    assert "the reason" in cli("show", "@last")[1]


def test_a_broken_factory_is_told_as_it_is(cli, lab):
    (lab / "f.toml").write_text('name="f"\n[data]\nname="digits"\n[model]\nfactory="nothing_here:build"\n')
    status, _, err = cli("run", "f.toml")
    assert status == 1 and "nothing_here" in err
    assert "nothing_here" in cli("show", "@last")[1]
    status, _, err = cli("check", "f.toml")
    assert status == 2 and "nothing_here" in err


@pytest.mark.parametrize("case", ["folder", "binary", "large", "missing", "syntax", "key"])
def test_a_wrong_recipe_leaves_nothing_behind(cli, lab, case):
    path = lab / "bad.toml"
    if case == "folder":
        path.mkdir()
    elif case == "binary":
        path.write_bytes(bytes(range(256)))
    elif case == "large":
        path.write_bytes(b"a" * 10_000_000)
    elif case == "syntax":
        path.write_text("name = [")
    elif case == "key":
        path.write_text('name = "x"\ncommandd = ["a"]\n')
    status, out, err = cli("run", str(path))
    assert (status, out) == (2, "") and "bad.toml" in err and "Traceback" not in err
    assert not (lab / "runs").exists()


def test_a_name_cannot_leave_the_lab(cli, lab):
    status, *_ = cli("run", recipe(lab, "", name="../../../escaped"))
    assert status == 0
    (run_id,) = LabPaths(lab).run_ids()
    assert re.fullmatch(r"\d{8}-\d{6}-escaped-\w{4}", run_id)
    assert not (lab.parent / "escaped").exists()


def test_repeats_and_detaching(cli, lab):
    status, out, _ = cli("run", recipe(lab, "print({params.seed})", seed=5), "--repeats", "3", "--detach")
    ids = out.split()
    assert status == 0 and len(ids) == 3
    paths = LabPaths(lab)
    end = time.monotonic() + 20
    while [derive(paths.run(i)).state for i in ids] != ["finished"] * 3 and time.monotonic() < end:
        time.sleep(0.1)
    assert [cli("logs", i)[1] for i in ids] == ["5\n", "6\n", "7\n"]
    sweep = json.loads(cli("ls", "--format", "json")[1])[0]["sweep"]
    assert sweep and cli("rm", sweep, "--yes")[0] == 0
    assert LabPaths(lab).run_ids() == []


def test_listing_filters_sorts_and_prints_in_four_forms(cli, lab):
    a_run("one", **{"val.acc": 0.1, "test.acc": 0.2})
    a_run("实验", **{"val.acc": 0.9})
    assert json.loads(cli("ls", "--format", "json", "--sort", "val.acc")[1])[0]["name"] == "one"
    assert (
        json.loads(cli("ls", "--format", "json", "--sort", "-val.acc", "--limit", "1")[1])[0]["name"]
        == "实验"
    )
    assert json.loads(cli("ls", "--format", "json", "--filter", "lr=0.1 and name=one")[1])[0]["name"] == "one"
    table = cli("ls")[1].splitlines()
    from labtui.cells import width

    assert len({width(line) for line in table}) == 1, "wide characters align"
    rows = list(csv.reader(io.StringIO(cli("ls", "--format", "csv")[1])))
    assert rows[0][:2] == ["id", "name"] and rows[1][1] == "实验"
    assert cli("ls", "--format", "md")[1].startswith("| id | name |")
    for wrong in (["--filter", "val.ac>1"], ["--filter", "x="], ["--sort", "nothing"]):
        status, _, err = cli("ls", *wrong)
        assert status == 2 and err


def test_tags_notes_and_markup_are_data(cli, lab):
    run_id = a_run("[bold]x[/] \x1b[31mred")
    assert cli("tag", run_id, "good", "bad")[0] == 0
    assert cli("tag", run_id, "--", "-bad")[0] == 0
    assert cli("note", run_id, "[bold]seen[/] \x1b]0;title\x07")[0] == 0
    assert cli("note", run_id, "  ")[0] == 2
    for command in (["show", run_id], ["note", run_id], ["ls"], ["compare", run_id, run_id]):
        out = cli(*command)[1]
        assert "\x1b" not in out and "\x07" not in out
    assert "[bold]seen[/]" in cli("show", run_id)[1]
    row = json.loads(cli("show", run_id, "--format", "json")[1])
    assert row["tags"] == ["good"] and row["name"] == "[bold]x[/] \x1b[31mred"


def test_bytes_that_are_no_text_spoil_no_notes(cli, lab):
    run_id = a_run()
    assert cli("note", run_id, "bad \udcff byte")[0] == 0
    assert cli("note", run_id, "again")[0] == 0
    assert len(json.loads(cli("note", run_id, "--format", "json")[1])) == 2


def test_a_narrow_terminal_keeps_what_identifies_a_run(terminal, lab):
    run_id = a_run("a name", **{"val.acc": 0.5, "test.acc": 0.25})
    one = terminal("ls")
    one.wait()
    text = one.text.decode()
    assert run_id[-4:] in text and "finished" in text and "0.25" in text


def test_removing_asks(cli, lab):
    run_id = a_run()
    status, _, err = cli("rm", run_id)
    assert status == 2 and "--yes" in err and LabPaths(lab).run_ids() == [run_id]
    assert cli("rm", run_id, "--yes")[0] == 0
    assert LabPaths(lab).run_ids() == []


def test_export_is_csv_with_every_value(cli, lab):
    run_id = a_run("x", **{"val.acc": float("nan"), "train.loss": 0.1 + 0.2})
    rows = list(csv.DictReader(io.StringIO(cli("export", run_id)[1])))
    assert [(r["metric"], r["step"], r["value"]) for r in rows] == [
        ("val.acc", "1", "nan"),
        ("train.loss", "1", "0.30000000000000004"),
    ]
    assert cli("export", run_id, "-o", "m.csv")[0] == 0 and (lab / "m.csv").read_text().count("\n") == 3
    assert cli("export", run_id, "-o", "nowhere/m.csv")[0] == 2


def test_comparing_shows_what_differs(cli, lab):
    with labtui.init("a", params={"lr": 0.1, "k": 1}, monitor="val.acc") as run:
        run.log({"val.acc": 0.3}, 1)
    with labtui.init("b", params={"lr": 0.2, "k": 1}, monitor="val.acc") as other:
        other.log({"val.acc": 0.7}, 1)
    out = cli("compare", run.id, other.id, "--format", "json")[1]
    keys = [row["key"] for row in json.loads(out)]
    assert "params.lr" in keys and "params.k" not in keys and "val.acc" in keys
    out = cli("compare", "--best-worst", "val.acc", "--format", "json")[1]
    assert list(json.loads(out)[0])[1:] == [other.id, run.id]
    assert cli("compare", run.id)[0] == 2


def test_folds_are_compared_at_their_best_and_at_the_end(cli, lab):
    for fold, (best, last) in enumerate([(0.9, 0.7), (0.8, 0.8)]):
        paths = rundir.create(
            LabPaths(lab),
            "x",
            {
                "name": "x",
                "origin": {"sweep": "s1", "fold": fold},
                "validate": {"monitor": "val.acc", "fold": fold},
            },
            queued=False,
        )
        with Run(paths, 1) as run:
            run.log({"val.acc": best}, 1)
            run.log({"val.acc": last}, 2)
    rows = {row.pop("key"): row for row in json.loads(cli("compare", "s1", "--format", "json")[1])}
    assert [rows["val.acc"]["mean"], rows["val.acc.last"]["mean"]] == pytest.approx([0.85, 0.75])
    assert rows["val.acc"]["deviation"] == pytest.approx(0.0707, abs=1e-4)
    assert rows["validate.fold"]["mean"] is None and "validate.monitor" not in rows


def test_init_makes_a_lab_and_keeps_what_is_there(cli, tmp_path):
    folder = tmp_path / "new lab"
    status, out, _ = cli("init", str(folder))
    assert status == 0 and (folder / "recipes" / "digits.toml").is_file()
    (folder / "recipes" / "digits.toml").write_text("mine")
    assert cli("init", str(folder))[0] == 0
    assert (folder / "recipes" / "digits.toml").read_text() == "mine"
    status, out, _ = cli("--lab", str(folder), "recipes")
    assert "digits.toml" in out
    (tmp_path / "file").touch()
    assert cli("init", str(tmp_path / "file"))[0] == 2


def test_doctor_finds_what_is_wrong(cli, lab):
    run_id = a_run()
    (lab / "runs" / run_id / "notes.toml").write_text("[[")
    for number, age in ((1, 7200), (2, 0)):  # what is young may be in the making
        (lab / "runs" / f".trash-{number}-x").mkdir()
        os.utime(lab / "runs" / f".trash-{number}-x", (time.time() - age,) * 2)
    (lab / "recipes").mkdir()
    (lab / "recipes" / "bad.toml").write_text('name = "x"\n')
    status, out, _ = cli("doctor")
    assert status == 1
    for word in ("notes.toml", ".trash-1-x", "bad.toml"):
        assert word in out
    assert ".trash-2-x" not in out


def test_a_reader_that_leaves_early_is_no_error(lab):
    for _ in range(3):
        a_run()
    with subprocess.Popen(
        [*LABTUI, "export", "@last"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 0


@pytest.fixture
def terminal(lab):
    """A command line in a real terminal: send keys, wait for text."""
    opened = []

    class Terminal:
        def __init__(self, *arguments: str) -> None:
            self.pid, self.fd = pty.fork()
            if self.pid == 0:
                os.environ["TERM"] = "xterm-256color"
                os.execv(sys.executable, [*LABTUI, *arguments])
            self.text = b""
            opened.append(self)

        def read(self, until: bytes, seconds: float = 30) -> None:
            end = time.monotonic() + seconds
            while until not in self.text:
                assert time.monotonic() < end, self.text[-500:]
                if select.select([self.fd], [], [], 0.1)[0]:
                    try:
                        self.text += os.read(self.fd, 65536)
                    except OSError:
                        assert until in self.text, self.text[-500:]

        def send(self, data: bytes) -> None:
            os.write(self.fd, data)

        def wait(self) -> int:
            while True:
                try:
                    self.text += os.read(self.fd, 65536)
                except OSError:
                    return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    yield Terminal
    for terminal in opened:
        try:
            os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(terminal.fd)


def test_ctrl_c_stops_gracefully_and_resume_goes_on(terminal, lab):
    (lab / "r.toml").write_text(
        'name="d"\n[data]\nname="digits"\n[model]\nname="digits_cnn"\nchannels=2\n[train]\nepochs=100000\n'
        "[resources]\nthreads=1\n"
    )
    one = terminal("run", "r.toml")
    one.read(b"val.loss", 60)
    one.send(b"\x03")
    assert one.wait() == 130
    (run_id,) = LabPaths(lab).run_ids()
    run = LabPaths(lab).run(run_id)
    status = derive(run)
    assert status.state == "stopped" and (run.checkpoints / "last.pt").is_file()
    two = terminal("resume", "@last", "--detach")
    assert two.wait() == 0
    end = time.monotonic() + 60
    while derive(run).state != "running" and time.monotonic() < end:
        time.sleep(0.1)
    assert derive(run).attempt == 2
    three = terminal("stop", "@last")
    assert three.wait() == 0, three.text
    assert derive(run).state == "stopped"


def test_closing_the_terminal_stops_nothing(terminal, lab):
    one = terminal("run", recipe(lab, "import time; print('begun', flush=True); time.sleep(60)"))
    (run_id,) = eventually(lambda: LabPaths(lab).run_ids())
    run = LabPaths(lab).run(run_id)
    eventually(lambda: run.log.exists() and b"begun" in run.log.read_bytes())
    os.kill(one.pid, signal.SIGHUP)
    one.wait()
    assert derive(run).state == "running"
    assert terminal("stop", "--kill", "@last").wait() == 0
    assert derive(run).state == "stopped"


def test_closing_the_terminal_ends_no_sweep(terminal, lab):
    name = recipe(lab, "import time; time.sleep(1)", seed=0)
    one = terminal("run", name, "--repeats", "3")
    ids = eventually(lambda: LabPaths(lab).run_ids() if len(LabPaths(lab).run_ids()) == 3 else None)
    runs = [LabPaths(lab).run(i) for i in ids]
    eventually(lambda: derive(runs[0]).state == "running")
    os.kill(one.pid, signal.SIGHUP)
    one.wait()
    eventually(lambda: [derive(run).state for run in runs] == ["finished"] * 3, 30)


def test_ctrl_c_stops_what_waits_too(terminal, lab):
    name = recipe(lab, "import time; time.sleep(60)", seed=0)
    one = terminal("run", name, "--repeats", "3")
    ids = eventually(lambda: LabPaths(lab).run_ids() if len(LabPaths(lab).run_ids()) == 3 else None)
    runs = [LabPaths(lab).run(i) for i in ids]
    eventually(lambda: derive(runs[0]).state == "running" and runs[0].log.exists())
    time.sleep(0.5)
    one.send(b"\x03")
    assert one.wait() == 130
    assert [derive(run).state for run in runs] == ["stopped"] * 3


def test_a_run_that_is_removed_under_its_follower_is_told(terminal, lab):
    import shutil

    one = terminal("run", recipe(lab, "import time; time.sleep(60)"))
    (run_id,) = eventually(lambda: LabPaths(lab).run_ids())
    run = LabPaths(lab).run(run_id)
    eventually(lambda: derive(run).state == "running" and run.environment.exists())
    pid = json.loads(run.process.read_bytes())["pid"]
    shutil.rmtree(run.root)
    try:
        assert one.wait() == 1 and b"was removed" in one.text
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_removing_asks_on_a_terminal(terminal, lab):
    run_id = a_run()
    for answer, left in ((b"n\n", [run_id]), (b"y\n", [])):
        one = terminal("rm", "@last")
        one.read(b"[y/N]")
        one.send(answer)
        one.wait()
        assert LabPaths(lab).run_ids() == left


def test_a_log_is_text_on_a_terminal(terminal, lab):
    run_id = a_run()
    (lab / "runs" / run_id / "log.txt").write_bytes(b"\x1b]0;owned\x07\x1b[2J10%\r50%\rdone\nlast \xff")
    one = terminal("logs", run_id)
    one.wait()
    assert b"\x1b]0;" not in one.text and b"\x1b[2J" not in one.text
    assert b"done" in one.text and b"10%" not in one.text and b"last" in one.text


def test_following_a_log_ends_with_the_run(lab):
    code = "import time\nfor i in range(4): print(i, flush=True); time.sleep(0.2)"
    subprocess.run([*LABTUI, "run", recipe(lab, code), "--detach"], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([*LABTUI, "logs", "-f", "@last"], stdout=subprocess.PIPE, check=True, timeout=30)
    assert done.stdout == b"0\n1\n2\n3\n"


def test_an_output_that_is_full_is_said_in_a_line(lab):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "labtui", "--lab", str(lab), "recipes"],
            stdout=full,
            check=False,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == "labtui: cannot be written (No space left on device): the output\n"
