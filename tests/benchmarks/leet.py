"""The best viewer there is, `wandb leet`, in the same terminal and in the same run.

It comes with the wheel of wandb, which is installed into an environment of its own, and reads the runs
that W&B writes offline: one of 3 × 100,000 points, and 1,000 copies of a short one in one folder (more
than it is made for). The baseline of each line is LEET, so that the ratio is labtui's share of its time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import CHILDREN, Row, fresh, labtui, median, quantile
from idle import IN_SUMMARY, lagging, logged_by, memory, training, watched
from keys import moving
from lab import BEGIN, lab_of, lab_with
from peers import installed
from screens import all_shown, drawn, indexed, started
from terminal import WIDE, Terminal

STILL = 2.0
"""Seconds without output after which LEET has shown all."""


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    python = installed("wandb")
    if python is None:
        print("# wandb: skipped, cannot be installed here", flush=True)
        return
    leet = [str(python.with_name("wandb")), "leet"]
    runs, points, times, seconds = (100, 10_000, 3, 5) if quick else (1_000, 100_000, 5, 20)
    with _at_home():
        long = _peer_runs(python, points, 1)
        many = _peer_runs(python, 30, runs)
        yield from _starts([*leet, "run", str(next(long.glob("offline-run-*")))], points, times)
        yield from _table([*leet, str(many)], runs, seconds)
        yield from _live(leet, python, seconds)


def _starts(command: list[str], points: int, times: int) -> Iterator[Row]:
    """From the start to the first charts, and to the last change of them."""
    ours = indexed(lab_with(points, "train.loss", "val.loss", "test.loss"))
    peer, own = [], []
    for _ in range(times):
        peer.append(started(command, WIDE, drawn, STILL))
        own.append(started(ours, WIDE, drawn))
    work = f"LEET, then labtui: start → chart of 3 × {points:,} points"
    for number, what in ((1, "first drawn"), (2, "complete")):
        yield Row(f"{work} {what}", median([f[number] for f in own]), "s", median([f[number] for f in peer]))


def _table(command: list[str], runs: int, seconds: float) -> Iterator[Row]:
    """Start, moving, rest and memory with so many runs."""
    lab = lab_of(runs)
    ours = indexed(lab)
    peer, own = [], []
    for _ in range(3):
        peer.append(started(command, WIDE, _listed(runs), STILL)[1])
        own.append(started(ours, WIDE, all_shown(lab))[1])
    yield Row(f"LEET, then labtui: start → {runs:,} runs", median(own), "s", median(peer))
    with Terminal(command) as theirs, Terminal(ours) as mine:
        theirs.ready(_listed(runs), STILL)
        mine.ready(all_shown(lab), STILL)
        yield from _compared("  moving, p{}", moving(mine, 100), moving(theirs, 100))
        pids = [(_at_work(theirs.process.pid), theirs), (mine.process.pid, mine)]
        (base_cpu, base_sent), (used, sent) = watched([t for _, t in pids], seconds, [pid for pid, _ in pids])
        yield Row(f"  idle {seconds} s: CPU", used, "%", base_cpu)
        yield Row("  bytes sent", sent, "B", base_sent)
        base, own_size = (memory(pid)[0] / 1e6 for pid, _ in pids)
        yield Row("  memory, resident", own_size, "MB", base)


def _live(leet: list[str], python: Path, seconds: float) -> Iterator[Row]:
    """Ten records a second: LEET in the screen of the run, labtui in its own."""
    folder = fresh("wandb-live")
    script = [str(python), str(CHILDREN / "wandb_runs.py"), "10", str(seconds + 60)]
    process = subprocess.Popen(script, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        run = next((folder / "wandb").glob("offline-run-*"))
        with Terminal([*leet, "run", str(run)]) as terminal:
            time.sleep(10.0)  # it is never at rest beside a live run
            found = lagging(terminal, seconds, IN_SUMMARY, _at_work(terminal.process.pid))
    finally:
        process.terminate()
        process.wait()
    logged = [(float(when), float(count)) for when, count in (line.split() for line in process.stdout)]
    peer = found.figures(logged)
    with training(1, seconds + 60) as lab, Terminal(labtui("--lab", lab.root)) as terminal:
        terminal.ready(lambda text: "live 0" in text, 0.2)
        time.sleep(2.0)
        terminal.press("\r", 0.05)
        found = lagging(terminal, seconds, IN_SUMMARY)
        own = found.figures(logged_by(lab))
    work = "LEET, then labtui: a run that logs 10 records/s, its screen: "
    names = (f"{work}lag, median", "  lag, worst", "  CPU", "  bytes a second")
    for name, unit, mine, theirs in zip(names, ("s", "s", "%", "B"), own, peer, strict=True):
        yield Row(name, mine, unit, theirs)


def _compared(work: str, own: list[float], peer: list[float]) -> Iterator[Row]:
    for part in (0.5, 0.95):
        yield Row(work.format(round(part * 100)), quantile(own, part), "s", quantile(peer, part))


def _listed(runs: int) -> Callable[[str], bool]:
    """Whether LEET lists so many runs, and has drawn one."""
    return lambda text: f"of {runs}]" in text and drawn(text)


def _peer_runs(python: Path, steps: int, copies: int) -> Path:
    """A folder of W&B's with one run of so many steps, or with so many copies of it."""
    folder = fresh("wandb-runs")
    script = [str(python), str(CHILDREN / "wandb_runs.py"), str(steps), "0"]
    subprocess.run(script, cwd=folder, check=True, capture_output=True)
    if copies == 1:
        return folder / "wandb"
    (log,) = (folder / "wandb").glob("offline-run-*/*.wandb")
    for number in range(copies):
        stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime(BEGIN + 60 * number))
        copy = folder / "copies" / "wandb" / f"offline-run-{stamp}-{number:08d}"
        copy.mkdir(parents=True)
        shutil.copy(log, copy / f"run-{number:08d}.wandb")
    return folder / "copies" / "wandb"


def _at_work(pid: int) -> int:
    """The process that does the work: `wandb` starts another one."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _at_work(int(below[0])) if below else pid


@contextmanager
def _at_home() -> Iterator[None]:
    """A home of its own: W&B writes settings and caches there, and reads who is logged in."""
    before = os.environ.get("HOME")
    os.environ["HOME"] = str(fresh("home"))
    try:
        yield
    finally:
        os.environ.pop("HOME")
        if before is not None:
            os.environ["HOME"] = before
