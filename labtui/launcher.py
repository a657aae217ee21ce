"""From a recipe file to queued runs: what the command line, the terminal application and the Python
API do alike."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labtui.errors import DataError, RecipeError
from labtui.files.paths import EDITED, LabPaths, RunPaths, new_run_id

if TYPE_CHECKING:
    from labtui.query.lab import Run
    from labtui.sweep import Plan


class Launched(NamedTuple):
    """What came of a launch."""

    sweep: str
    """The id that the runs share; empty: it is one run."""
    runs: list[RunPaths]
    """Those that are queued now; of a large sweep the supervisor queues more as these begin."""
    trainings: int = 1
    """How many runs there will be; of a search that only hours end, 0."""


def plan_of(lab: LabPaths, path: Path, overrides: Sequence[str] = (), text: str | None = None) -> Plan:
    """What a recipe file stands for.

    Args:
        overrides: `key=value`, as `--set` takes them.
        text: instead of what the file holds.

    Raises:
        RecipeError: every problem, one a line.
    """
    from labtui.recipe.read import load, parse
    from labtui.sweep import Plan

    if text is None:
        return Plan(load(path, list(overrides)), source_of(lab, path))
    return Plan(parse(text, str(path), list(overrides)), source_of(lab, path) + EDITED)


def source_of(lab: LabPaths, path: Path) -> str:
    """How a run names its recipe file: below the lab if it lies there, whatever the user typed."""
    absolute = Path(os.path.abspath(path))
    return str(absolute.relative_to(lab.root) if absolute.is_relative_to(lab.root) else absolute)


def queue_recipe(
    lab: LabPaths,
    path: Path,
    overrides: Sequence[str] = (),
    *,
    priority: int | None = None,
    after: Sequence[str] = (),
    held: bool = False,
    text: str | None = None,
) -> Launched:
    """Queue the trainings of a recipe file, and see to it that a supervisor starts them.

    Args:
        overrides: `key=value`, as `--set` takes them.
        text: instead of what the file holds. The runs say so, and a sweep goes on with it, not with the file.
        priority: instead of `resources.priority`.
        after: runs or sweeps to wait for, besides those in `resources.after`.
        held: not to be started until they are released.

    Raises:
        LabtuiError: the recipe is wrong, a reference fits no run, or the lab cannot be written.
    """
    from labtui import launch, sweeper
    from labtui.launch.machine import slots
    from labtui.query import Lab

    slots(lab.root)  # a mistake in the settings is said here, where somebody reads it
    plan = plan_of(lab, path, overrides, text)
    references = list(dict.fromkeys([*plan.recipe.resources.after, *after]))
    index = Lab(lab)
    waits = [run.id for reference in references for run in index.group(reference)]
    asked: dict[str, Any] = {"priority": priority, "after": waits, "held": held}
    if plan.single:
        recipes = [plan.resolved(training, "").tables() for training in plan]
        found = Launched("", launch.enqueue(lab, recipes, **asked))
    else:
        sweep = new_run_id(plan.recipe.name)
        found = Launched(sweep, *sweeper.begin(lab, plan, sweep, overrides, **asked))
    try:
        launch.wake(lab)
    except BaseException:  # nobody would start them, or it is Ctrl-C and nobody knows of them
        if found.sweep:
            sweeper.take_back(lab, found.sweep)
        launch.withdraw(lab, found.runs)
        raise
    return found


def enqueue(
    recipe: str | Path,
    set: Sequence[str] = (),
    repeats: int = 0,
    *,
    priority: int | None = None,
    after: Sequence[str] = (),
    held: bool = False,
    lab: str | Path | None = None,
) -> list[Run]:
    """Queue the trainings of a recipe, as `labtui run --detach` does.

    Args:
        recipe: a file, or its path below the lab's `recipes/`.
        set: overrides, `key=value`.
        repeats: instead of the recipe's own number.
        priority: instead of `resources.priority`; higher ones start first.
        after: runs or sweeps to wait for, besides those in `resources.after`.
        held: not to be started until they are released.
        lab: the lab folder; absent: `$LABTUI_LAB`, the nearest parent that is a lab, or here.

    Returns:
        The runs that wait now; `wait` waits for the end of one. Of a large sweep more are queued as these
        begin: `open(lab).runs("sweep=ID")` has them all.

    Raises:
        LabtuiError: the recipe is wrong, a reference fits no run, or the lab cannot be written.
    """
    from labtui.files.paths import find_lab
    from labtui.query import Lab

    paths = find_lab(lab)
    path = find_recipe(paths, str(recipe))
    overrides = [*set, *repeated(repeats)]
    made = queue_recipe(paths, path, overrides, priority=priority, after=after, held=held)
    index = Lab(paths)
    return [index.run(one.id) for one in made.runs]


def model_of(lab: LabPaths, tables: Mapping[str, Any]) -> dict[str, Any]:
    """Layers, parameters and splits of a resolved recipe, whose data and model a child process builds.

    Raises:
        DataError: what it trains on is not here.
        RecipeError: the model cannot be built.
    """
    import json
    import subprocess
    import sys

    child = subprocess.run(
        [sys.executable, "-P", "-m", "labtui.engine.inspect"],
        check=False,
        input=json.dumps(tables).encode(),
        capture_output=True,
        cwd=lab.root,
    )
    try:
        found: dict[str, Any] = json.loads(child.stdout)
    except ValueError:
        said = child.stderr.decode(errors="replace")[-2000:]
        raise RecipeError(f"the model could not be built: {said}") from None
    if "error" in found:
        kind = DataError if found.get("kind") == "DataError" else RecipeError
        raise kind(str(found["error"]))
    return found


def repeated(repeats: int | None) -> list[str]:
    """The override that asks for so many repeats; 0 or None: the recipe's own number."""
    return [f"sweep.repeats={repeats}"] if repeats else []


def find_recipe(lab: LabPaths, name: str) -> Path:
    """A recipe by its file, or by its path below the lab's `recipes/`, with or without `.toml`."""
    path = Path(name).expanduser()
    below = [lab.recipes / name, lab.recipes / f"{name}.toml", lab.root / name]
    return next((p for p in (path, *below) if os.path.isfile(p)), path)
