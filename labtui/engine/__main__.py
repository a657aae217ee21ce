"""The worker: `python -m labtui.engine RUN_DIR ATTEMPT`, started by the supervisor; with `--together` the
worker of several runs (`labtui.engine.together.worker`).

It attaches first, so that the run is seen to run before torch is loaded. SIGTERM asks for the same
as a stop in `control.json`, which may name another outcome (`preempted`); SIGINT is for the
foreground only. Exit status: 0 finished or stopped, 1 failed, 2 the directory cannot be worked on.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from labtui.engine import parallel
from labtui.engine.attempt import Asked, fail, refer, training
from labtui.engine.machine import observed
from labtui.engine.workplace import at_work
from labtui.errors import LabtuiError
from labtui.files import toml
from labtui.files.layout import layout
from labtui.files.paths import RunPaths
from labtui.files.tell import tell
from labtui.writer import Run, attach


def work(run: Run, tables: dict[str, Any], asked: Asked, result: dict[str, Any]) -> str | None:
    """Do what the recipe says; None when it ended by itself, else what was asked."""
    if "command" in tables:
        from labtui.engine.command import supervise

        return supervise(run, tables, asked)
    if layout(tables) != (1, 1):
        return parallel.lead(run, tables, asked)
    train, recipe = training(run.paths, tables)
    with observed(run.paths.lab, lambda: [run]):
        return train(run, recipe, run.paths.lab.root, asked, result)


def main(argv: list[str]) -> int:
    """Work on one run, or on several together; the exit status."""
    if argv[0] == "--together":
        from labtui.engine.together import worker

        return worker.main(argv[1:])
    asked = Asked()
    paths, attempt = RunPaths(Path(argv[0]).absolute()), int(argv[1])
    if parallel.further(paths):
        return parallel.assist(paths, attempt, asked)
    try:
        run = asked.run = attach(paths.root, attempt)
    except LabtuiError as error:
        tell(f"labtui: {error}")
        return 2
    tables: dict[str, Any] = {}
    result: dict[str, Any] = {}
    try:
        tables = toml.read(run.paths.recipe)
        refer(paths, attempt, tables, result)
        with at_work(run.paths):
            ended = work(run, tables, asked, result)
    except parallel.Told:
        return 1
    except (Exception, SystemExit) as error:  # a part of the user's own may exit
        fail(run, error, tables, result)
        return 1
    run.finish(*(asked.outcome() if ended else ("finished",)), **result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
