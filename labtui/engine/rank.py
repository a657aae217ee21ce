"""One of several processes that train a run: `python -m labtui.engine.rank RUN_DIR ATTEMPT WORKER_PID PIECES`.

torch's launcher starts it for the run's worker (`labtui.engine.parallel`) and says which one it is. All
do the same; the first writes metrics, checkpoints, artifacts and the result, and it alone hears what
is asked of the run. PIECES is not 0 when they start again in smaller pieces, since memory ran out. Exit
status: 0 finished or stopped, 1 failed, 75 another process is gone.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from labtui.engine import failure
from labtui.engine.attempt import Asked, refer, training
from labtui.engine.machine import observed
from labtui.engine.parallel import LOST
from labtui.errors import LabtuiError, TrainingError
from labtui.files import process, toml
from labtui.files.paths import RunPaths
from labtui.files.tell import tell
from labtui.writer import Run


class Silent(Run):
    """The run for all processes but the first: they write nothing."""

    def __init__(self, paths: RunPaths, attempt: int) -> None:
        super().__init__(paths, attempt, metrics=False, beats=False)

    def artifact(self, name: str, value: Any) -> Path:
        """Keep nothing."""
        return self.paths.artifacts

    def finish(self, *_: Any, **__: Any) -> None:
        """Say nothing."""
        self.leave()


def work(run: Run, asked: Asked, pieces: int, tables: dict[str, Any], result: dict[str, Any]) -> str | None:
    """Train together with the others; None when it ended by itself, else what was asked."""
    tables |= toml.read(run.paths.recipe)
    refer(run.paths, run.attempt, tables, result)
    if pieces:
        tables.setdefault("train", {})["accumulate"] = pieces
        if not (run.paths.checkpoints / "last.pt").exists():
            run.void_after(-1)
    train, recipe = training(run.paths, tables)
    from labtui.engine.world import joined

    with joined(recipe.resources) as world:
        # Of a signal to all of them the first one tells the others.
        listens = asked if world.rank == 0 else lambda: None
        try:
            with nullcontext() if world.rank else observed(run.paths.lab, lambda: [run]):
                return train(run, recipe, run.paths.lab.root, listens, result, world)
        except RuntimeError as error:
            if "find_unused_parameters" not in str(error):
                raise
            raise TrainingError(
                "error",
                "some parameters of the model take no part in a step: set resources.unused_parameters = true "
                "for several processes to expect that",
            ) from None


def fail(run: Run, error: BaseException, tables: dict[str, Any], result: dict[str, Any]) -> int:
    """Say why, if this is the first one to fail, or the first of all; the exit status."""
    rank, size = os.environ["RANK"], os.environ["WORLD_SIZE"]
    world = sys.modules.get("labtui.engine.world")
    lost = world is not None and world.lost(error) and not failure.out_of_memory(error)
    why: dict[str, Any] = {}
    if lost:
        tell(f"process {rank} of {size} has lost the others: {failure.first_line(error)}")
    else:
        reason, message = failure.explain(error, tables.get("train"))
        trace = traceback.format_exc()
        own = isinstance(error, LabtuiError)
        tell(message if own and error.__cause__ is None else f"process {rank} of {size}: {trace}")
        message = message if own else f"{message} (in process {rank} of {size})"
        why = {"reason": reason, "message": message, "traceback": trace}
        if pieces := getattr(error, "accumulate", 0):
            why["accumulate"] = pieces
        failure.say(run.paths, run.attempt, **why)
    if isinstance(run, Silent):
        return LOST if lost else 1
    # On a full disk nobody could say it.
    why = failure.first(run.paths, run.attempt) or why
    if why and "accumulate" not in why:
        run.finish("failed", **why, **result)
        return 1
    run.flush()
    return LOST


def main(argv: list[str]) -> int:
    """Work on one run with others; the exit status."""
    process.tied()()
    if os.getppid() != int(argv[2]):  # it ended just before
        return LOST
    asked = Asked()
    paths, attempt = RunPaths(Path(argv[0])), int(argv[1])
    run = asked.run = (
        Run(paths, attempt, beats=False) if os.environ["RANK"] == "0" else Silent(paths, attempt)
    )
    tables: dict[str, Any] = {}
    result: dict[str, Any] = {}
    try:
        ended = work(run, asked, int(argv[3]), tables, result)
    except (Exception, SystemExit) as error:  # a part of the user's own may exit
        status = fail(run, error, tables, result)
        with suppress(OSError):
            sys.stdout.flush()
        # What the processes still had to say to each other is not waited for.
        os._exit(status)
    run.finish(*(asked.outcome() if ended else ("finished",)), **result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
