"""What is kept of a sweep: its definition, and the request to go on with it.

`runs/.labtui/sweeps/<id>/recipe.toml` is the recipe as it was launched or last resumed, with the
file that it came from. `request-<host>.json` is there while a machine's supervisor is to make runs
of what is missing, and says why it cannot; the launcher asks, whoever makes the last ones withdraws
it. Both are written under the folder's lock, but for the first time. Beside them lies the lab's code
as the launch found it, which the cells to come get, and `filler.json` says which process has made
runs last.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from labtui.errors import LabError, RecipeError, RunNotFound
from labtui.files.atomic import read_json, write_atomic, write_json
from labtui.files.paths import LabPaths, SweepPaths
from labtui.files.toml import dumps
from labtui.recipe.read import load
from labtui.sweep.plan import Plan
from labtui.sweep.resolve import given

TROUBLE = "trouble"
"""Of a request, what keeps it from being granted."""


def write(paths: SweepPaths, plan: Plan, overrides: list[str]) -> None:
    """Keep the definition of a sweep.

    Args:
        overrides: what `--set` changed, to change it again when the file is read anew.

    Raises:
        LabError: the lab cannot be written.
    """
    origin = {"file": plan.source, "sweep": paths.id, "set": overrides}
    try:
        paths.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        tables = {key: value for key, value in given(plan.recipe).items() if key != "origin"}
        data = dumps(tables | {"origin": origin})
        # Who looks at a sweep expands it anew when its definition has changed.
        if not paths.recipe.exists() or paths.recipe.read_bytes() != data:
            write_atomic(paths.recipe, data)
    except OSError as error:
        raise LabError(f"{paths.root}: cannot be written ({error.strerror})") from error


def read(paths: SweepPaths) -> Plan:
    """A sweep as it was launched or last resumed.

    Raises:
        RunNotFound: there is no such sweep.
        RecipeError: its definition is broken.
    """
    if not paths.recipe.exists():
        raise RunNotFound(
            f"sweep {paths.id}: has no definition in {paths.root}: it was made by an early labtui, or removed; "
            "its runs are there, and `labtui run` on the recipe makes a new sweep"
        )
    recipe = load(paths.recipe)
    return Plan(recipe, recipe.origin.file or str(paths.recipe))


def reread(lab: LabPaths, paths: SweepPaths) -> tuple[Plan, list[str]] | None:
    """A sweep as its recipe's file has it now, and what `--set` changed; None where the file is gone.

    Raises:
        RunNotFound: there is no such sweep.
        RecipeError: the file is wrong, or no longer that of such a sweep.
    """
    before = read(paths)
    file = lab.root / before.source
    if not os.path.isfile(file):
        return None
    overrides = before.recipe.origin.set
    now = Plan(load(file, overrides), before.source)
    if now.single:
        raise RecipeError(
            f"{file}: was the recipe of the sweep {paths.id}, and is that of a single training now: put its "
            f"[sweep] back, or take it away to go on with the definition in {paths.recipe}"
        )
    if now.searches != before.searches or (now.searches and now.sweep.method != before.sweep.method):
        was, has = before.sweep.method, now.sweep.method
        raise RecipeError(
            f"{file}: sweep.method was {was!r} when {paths.id} was launched, and is {has!r} now: put it back, or "
            "start another sweep with `labtui run`"
        )
    return now, overrides


def ask(paths: SweepPaths, **asked: Any) -> None:
    """Ask this machine's supervisor to make what is missing; `priority`, `after`, `held`, `python`.

    Raises:
        LabError: the lab cannot be written.
    """
    try:
        write_json(paths.request, asked)
    except OSError as error:
        raise LabError(f"{paths.request}: cannot be written ({error.strerror})") from error


def asked(paths: SweepPaths) -> dict[str, Any] | None:
    """What this machine's supervisor is asked for; None: nothing."""
    return read_json(paths.request)


def halt(paths: SweepPaths, trouble: str) -> None:
    """Make nothing more of a sweep on this machine until its user has mended it, and resumes it.

    Args:
        trouble: what has to be mended.

    Raises:
        LabError: the lab cannot be written.
    """
    if (request := asked(paths)) is not None:
        ask(paths, **request | {TROUBLE: trouble})


def trouble(paths: SweepPaths) -> str:
    """Why nothing more is made of a sweep that is not done; empty: nothing is wrong."""
    requests = (read_json(path) or {} for path in sorted(paths.root.glob("request-*.json")))
    return next((str(one[TROUBLE]) for one in requests if TROUBLE in one), "")


def withdraw(paths: SweepPaths, everywhere: bool = False) -> bool:
    """Take the request back: nothing more is made of the sweep here, or on any machine. Whether there was one."""
    found = False
    for path in list(paths.root.glob("request-*.json")) if everywhere else [paths.request]:
        with suppress(FileNotFoundError):
            path.unlink()
            found = True
    return found


def active(lab: LabPaths) -> Iterator[SweepPaths]:
    """Sweeps that this machine's supervisor is to go on with, oldest first."""
    with suppress(FileNotFoundError):
        for name in sorted(os.listdir(lab.sweeps)):
            paths = lab.sweep(name)
            request = asked(paths)
            if request is not None and TROUBLE not in request:
                yield paths


def hosts(paths: SweepPaths) -> list[str]:
    """Machines whose supervisors are asked to go on with the sweep, and can."""
    found = paths.root.glob("request-*.json")
    names = (path.name for path in found if TROUBLE not in (read_json(path) or {}))
    return sorted(name.removeprefix("request-").removesuffix(".json") for name in names)
