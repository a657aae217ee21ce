"""What `labtui doctor` looks at: the lab's files, its runs, this machine and this terminal."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from labtui.errors import LabError
from labtui.files.toml import read
from labtui.gpus import inventory
from labtui.launch.freeing import leftovers
from labtui.launch.machine import slots
from labtui.notes import problem
from labtui.query.notebook import noted
from labtui.table import size

if TYPE_CHECKING:
    from labtui.query import Lab

Finding = list[str]
_LITTLE = 1_000_000_000


def findings(lab: Lab) -> list[Finding]:
    """Severity (ok, note, error), what was looked at, what was found, what to do."""
    return [
        *_folders(lab),
        *_settings(lab),
        *_leftovers(lab),
        *_recipes(lab),
        *_runs(lab),
        *_machine(lab),
    ]


def _folders(lab: Lab) -> Iterator[Finding]:
    paths = lab.paths
    yield ["ok", "lab", str(paths.root), ""]
    if not paths.runs.is_dir():
        yield ["note", "runs", "no runs/ folder yet", "labtui init, or start a run"]
    elif not os.access(paths.runs, os.W_OK):
        yield ["error", "runs", f"{paths.runs} cannot be written", "check its rights"]
    free = shutil.disk_usage(paths.root).free
    grade = "error" if free < _LITTLE else "ok"
    yield [grade, "disk", f"{size(free)} free", "make room before the next run" if grade == "error" else ""]


def _settings(lab: Lab) -> Iterator[Finding]:
    """Both files of settings; `[slots]`, without which nothing starts, is the machine's."""
    from labtui.files.settings import KEYS, settings, wrong

    root = lab.paths.root
    try:
        found = dict(wrong(root))
        keys = settings(root).get(KEYS, {})
    except LabError as error:
        yield ["error", "settings", str(error), ""]
        return
    right = {n: k for n, k in keys.items() if f"{KEYS}.{n}" not in found} if KEYS not in found else {}
    messages = [text for key, text in found.items() if key.partition(".")[0] != "slots"]
    if right:
        from labtui.tui.keymap import wrong_keys

        messages += wrong_keys(right, root).values()
    for text in messages:
        yield ["error", "settings", text, "mend or remove it"]
    if not found and not messages:
        yield ["ok", "settings", "", ""]


def _leftovers(lab: Lab) -> Iterator[Finding]:
    """What killed processes left half made or half removed."""
    found = list(leftovers(lab.paths))
    if found:
        names = ", ".join(path.name for one in found[:3] for path in one.paths[:1])
        amount = size(sum(one.size for one in found))
        yield ["note", "leftovers", f"{amount}, such as {names}", "labtui gc"]


def _recipes(lab: Lab) -> Iterator[Finding]:
    from labtui.errors import RecipeError
    from labtui.recipe.read import load

    found = lab.recipes()
    wrong = 0
    for row in found:
        try:
            load(lab.paths.recipes / row["path"])
        except RecipeError as error:
            wrong += 1
            yield ["error", "recipe", str(error).splitlines()[0], f"labtui check {row['path']}"]
    if found and not wrong:
        yield ["ok", "recipes", f"{len(found)}, all valid", ""]


def _runs(lab: Lab) -> Iterator[Finding]:
    rows = lab.runs()
    states: dict[str, list[str]] = {}
    for row in rows:
        states.setdefault(row.state, []).append(row.id)
        paths = lab.paths.run(row.id)
        for name in ("recipe", "notes"):
            path = getattr(paths, name)
            with suppress(FileNotFoundError):
                try:
                    read(path)
                except FileNotFoundError:
                    raise
                except (OSError, ValueError) as error:
                    yield ["error", row.id, f"{path.name} cannot be read: {error}", "mend or remove it"]
    for place in noted(lab.paths, ()):
        if said := problem(place):
            yield ["error", f"{place.kind} {place.id}", said, f"look at {place.notes}"]
    counts = ", ".join(f"{len(ids)} {state}" for state, ids in sorted(states.items()))
    yield ["ok", "runs", counts or "none", ""]
    if lost := states.get("lost"):
        yield ["note", "lost", ", ".join(lost[:3]), "labtui resume RUN"]
    if waiting := states.get("queued"):
        yield _queue(lab, waiting)


def _queue(lab: Lab, waiting: list[str]) -> Finding:
    """Whether somebody sees to what waits."""
    from labtui import launch
    from labtui.launch.queue import paused

    if why := paused(lab.paths):
        return ["note", "queue", f"{len(waiting)} wait, and it is paused: {why}", "labtui queue start"]
    if not launch.at_work(lab.paths):
        return ["note", "queue", f"{len(waiting)} wait, and no supervisor is at work", "labtui queue start"]
    return ["ok", "queue", f"{len(waiting)} wait", "labtui queue"]


def _machine(lab: Lab) -> Iterator[Finding]:
    yield ["ok", "python", sys.version.split()[0], ""]
    for name in ("labtui", "torch", "textual"):
        try:
            yield ["ok", name, version(name), ""]
        except PackageNotFoundError:
            yield ["error", name, "is not installed", f"pip install {name}"]
    found = inventory()
    names = Counter(gpu.name for gpu in found.gpus)
    gpus = ", ".join(f"{count} × {name}" for name, count in names.items())
    if found.passing:
        yield ["error", "gpu", "; ".join(filter(None, [gpus, found.problem])), "labtui gpus"]
    else:
        yield ["ok", "gpu", gpus or "none: runs train on the CPU", ""]
    try:
        slots(lab.paths.root)
    except LabError as error:
        yield ["error", "slots", str(error), "mend it: without, no run starts"]
    encoding = (sys.stdout.encoding or "").lower()
    if "utf" not in encoding:
        yield ["note", "terminal", f"encoding {encoding or 'unknown'}", "export LANG=C.UTF-8"]
    term = os.environ.get("TERM", "")
    if term in ("", "dumb", "linux"):
        yield ["note", "terminal", f"TERM={term or 'unset'}: charts are drawn in ASCII", ""]
