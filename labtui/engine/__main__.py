"""The worker: `python -m labtui.engine RUN_DIR ATTEMPT`, started by the launcher.

It attaches first, so that the run is seen to run before torch is loaded. SIGTERM asks for the same
as a stop in `control.json`; SIGINT is for the foreground only. Exit status: 0 finished or stopped,
1 failed, 2 the directory cannot be worked on.
"""

from __future__ import annotations

import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from labtui.engine.workplace import at_work, lab_of
from labtui.errors import LabtuiError, TrainingError
from labtui.files import rundir, toml
from labtui.files.tell import tell
from labtui.writer import Run, attach


class Asked:
    """What is asked of this worker: "stop", "kill" or None; by control.json or by SIGTERM."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.terminated = False
        signal.signal(signal.SIGTERM, self._terminate)
        # Not SIG_IGN, which a program started from here would inherit.
        signal.signal(signal.SIGINT, lambda *_: None)

    def __call__(self) -> str | None:
        found = self.run.asked() if self.run else None
        return found or ("stop" if self.terminated else None)

    def _terminate(self, *_: Any) -> None:
        self.terminated = True


def work(run: Run, tables: dict[str, Any], asked: Asked, result: dict[str, Any]) -> str | None:
    """Do what the recipe says; None when it ended by itself, else what was asked."""
    if "command" in tables:
        from labtui.engine.command import supervise

        return supervise(run, tables, asked)
    try:
        from labtui.engine.load import load

        load()
        from labtui.engine.train import train
        from labtui.recipe.read import check
    except Exception as error:  # a broken library may raise anything
        raise TrainingError(
            "launch",
            f"what a training needs cannot be imported by {sys.executable} "
            f"({type(error).__name__}: {error}); mend that Python's packages, then resume",
        ) from error
    return train(run, check(tables, str(run.paths.recipe)), lab_of(run.paths), asked, result)


def refer(run: Run, tables: dict[str, Any], result: dict[str, Any]) -> None:
    """Put what the launcher resolved (`@best:val.loss` to a run's id) in its place in the recipe."""
    references = rundir.claimed(run.paths, run.attempt)[0].get("references")
    if references:
        result["facts"] = {"references": references}
        for key, run_id in references.items():
            toml.put(tables, key, run_id)


def main(argv: list[str]) -> int:
    """Work on one run; the exit status."""
    asked = Asked()
    try:
        run = asked.run = attach(Path(argv[0]).absolute(), int(argv[1]))
    except LabtuiError as error:
        tell(f"labtui: {error}")
        return 2
    tables: dict[str, Any] = {}
    result: dict[str, Any] = {}
    try:
        tables = toml.read(run.paths.recipe)
        refer(run, tables, result)
        with at_work(run.paths):
            ended = work(run, tables, asked, result)
    except (Exception, SystemExit) as error:  # a part of the user's own may exit
        from labtui.engine.failure import explain

        reason, message = explain(error, tables.get("train"))
        trace = traceback.format_exc()
        # labtui's own message says all there is, unless something of the user's own is behind it.
        tell(message if isinstance(error, LabtuiError) and error.__cause__ is None else trace)
        run.finish("failed", reason, message, traceback=trace, **result)
        return 1
    run.finish("stopped" if ended else "finished", **result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
