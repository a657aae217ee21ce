"""Runs of one stack with a stand-in for their worker: it takes runs over and logs, and trains nothing."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from labtui import launch
from labtui.files.atomic import read_json
from labtui.files.paths import LabPaths, RunPaths, SweepPaths, new_run_id
from labtui.recipe.read import check
from labtui.run import derive
from labtui.sweep import Plan

WORKER = """#!{python}
import fcntl, json, os, signal, sys, time
from pathlib import Path

from labtui.errors import LabtuiError
from labtui.files.atomic import read_json, write_json
from labtui.writer import attach

words = sys.argv[sys.argv.index("labtui.engine") + 1 :]
does, diaries = json.loads(Path({does!r}).read_text()), Path({diary!r})
terminated = []
signal.signal(signal.SIGTERM, lambda *_: terminated.append(1))
with open(diaries / "words", "a") as said:
    said.write(" ".join(words) + "\\n")
if words[0] == "--together":
    decision = Path(words[words.index("--decision") + 1])
    words = words[5 if "--slots" in words else 3 :]
    found = read_json(decision)
    time.sleep(does.get("measures", 0))
    if found is None and "decides" in does:
        write_json(decision, does["decides"])
    if not (found or does.get("decides") or {{"together": True}})["together"] or "leaves" in does:
        sys.exit(does.get("leaves", 3))
runs, diary = {{}}, {{}}
for root, attempt in zip(words[::2], words[1::2]):
    try:
        run = attach(Path(root), int(attempt))
    except LabtuiError as error:
        print(error, file=sys.stderr)
        continue
    runs[run.id], diary[run.id] = run, open(diaries / run.id, "ab", buffering=0)
    try:
        fcntl.flock(diary[run.id], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        diary[run.id].write(b"twice\\n")
    diary[run.id].write(b"begun %d\\n" % run.attempt)
print("at work on", len(runs), flush=True)
failed = does.get("fails", {{}}) if "--together" in sys.argv else {{}}
for step in range(does.get("steps", 60)):
    for number, (name, run) in enumerate(list(runs.items())):
        asked = None if does.get("deaf") else "stop" if terminated else run.asked()
        if asked:
            run.finish("stopped")
            del runs[name]
        elif step == 10 and str(number) in failed:
            run.finish("failed", failed[str(number)], "as it was told")
            del runs[name]
        elif not does.get("stuck") or step < 3:
            run.log({{"train.loss": 1.0}}, step)
    time.sleep(0.01)
    if (diaries / "finish").exists():
        break
for name, run in runs.items():
    diary[name].write(b"done %d\\n" % run.attempt)
    run.finish()
"""


class Stacked:
    """A lab with a sweep whose runs may be trained together.

    Args:
        lab: its folders.
        folder: outside of it, for the worker and what it writes down.
        does: what the worker is to do.
    """

    def __init__(self, lab: LabPaths, folder: Path, together: Any = True, **does: Any) -> None:
        self.lab, self.diary, self.together = lab, folder / "diary", together
        self.diary.mkdir(parents=True)
        self._does, self.python = folder / "does.json", folder / "python"
        self.does(**does)
        self.python.write_text(
            WORKER.format(python=sys.executable, does=str(self._does), diary=str(self.diary))
        )
        os.chmod(self.python, 0o755)
        self.sweep: SweepPaths = lab.sweep(new_run_id("many"))
        self.sweep.root.mkdir(parents=True)

    def does(self, **what: Any) -> None:
        """Say what workers do that begin from now on."""
        self._does.write_text(json.dumps(what))

    def finish(self) -> None:
        """Have all workers come to the end."""
        (self.diary / "finish").touch()

    def queue(self, count: int, sizes: tuple[int, ...] = (8,), **resources: Any) -> list[RunPaths]:
        """Queue so many runs for each size of the model."""
        plan = Plan(
            check(
                {
                    "name": "many",
                    "data": {"name": "digits"},
                    "model": {"name": "digits_cnn"},
                    "resources": {"gpus": 0, "threads": 1} | resources,
                    "sweep": {
                        "space": {
                            "model.hidden": list(sizes),
                            "train.seed": list(range(count)),
                        },
                        "together": self.together,
                    },
                },
                "many.toml",
            ),
            "many.toml",
        )
        tables = [plan.resolved(training, self.sweep.id).tables() for training in plan]
        return launch.enqueue(self.lab, tables, python=str(self.python))

    def words(self) -> list[str]:
        """The command line of each worker that was started."""
        file = self.diary / "words"
        return file.read_text().splitlines() if file.exists() else []

    def check(self, runs: list[RunPaths]) -> None:
        """Each run is done, once, and no attempt at it was started twice."""
        for paths in runs:
            lines = (self.diary / paths.id).read_text().splitlines()
            begun = Counter(line for line in lines if line.startswith("begun"))
            assert "twice" not in lines, f"{paths.id}: two workers at once"
            assert max(begun.values()) == 1, f"{paths.id}: {begun}"
            assert [line for line in lines if line.startswith("done")] == [f"done {derive(paths).attempt}"]

    def decision(self) -> dict[str, Any]:
        """What was decided of the only stack."""
        (file,) = self.sweep.root.glob("stack-*")
        return read_json(file) or {}
