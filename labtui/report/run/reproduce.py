"""How to run it again: command, recipe, code, versions, seed, machine."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import mapping
from labtui.report.run.document import Document
from labtui.report.text import code, exact, fence, moment, prose
from labtui.table import duration, size

NONE = "not recorded"


def section(doc: Document) -> Iterator[Block]:
    """The command, then what it ran in."""
    yield Heading(2, "How to run it again")
    yield from _command(doc)
    environment = doc.run.environment()
    rows = [*_origin(doc), *_code(doc, environment), *_machine(doc, environment), *_times(doc)]
    yield Table(("what", "value"), rows)
    if not environment:
        yield f"*Code, versions and machine: not recorded, {_no_environment(doc)}.*"


def _command(doc: Document) -> Iterator[Block]:
    if doc.kind == "script":
        yield from _script(str(doc.origin.get("script") or ""), doc.run.environment().get("argv"))
        return
    if not doc.recipe:
        yield f"*Not recorded: {doc.absence}.*"
        return
    yield "In the lab folder, with the resolved recipe of this run (same options, split and seed):"
    yield fence(f"labtui run {shlex.quote(f'runs/{doc.run.id}/recipe.toml')}", "sh")
    if file := str(doc.origin.get("file") or ""):
        part = part_of(doc)
        yield f"It came from {code(file)}{': ' if part else ''}{part}."


def part_of(doc: Document) -> str:
    """Which training of a sweep it is, as markdown; empty where it is of none."""
    origin = doc.origin
    if not origin.get("sweep"):
        return ""
    parts = [f"{name} {prose(exact(origin[name]))}" for name in ("cell", "repeat", "fold") if name in origin]
    if title := str(origin.get("title") or ""):
        parts.append(code(title))
    which = f"{', '.join(parts)} (counted from 0) of " if parts else ""
    return f"{which}sweep {code(str(origin['sweep']))}"


def _origin(doc: Document) -> Iterator[tuple[str, str]]:
    yield "run", doc.run.id
    if "command" in doc.recipe:
        words = doc.recipe["command"]
        yield "program", shlex.join(map(str, words)) if isinstance(words, list) else str(words)
    seeds = {"training": "train.seed", "split": "validate.seed", "program": "params.seed"}
    known = [f"{what} {exact(doc.options[k])}" for what, k in seeds.items() if k in doc.options]
    yield "seed", ", ".join(known) or NONE
    for key, run_id in mapping(doc.facts.get("references")).items():
        yield f"{key} was", str(run_id)


def _code(doc: Document, environment: dict[str, Any]) -> Iterator[tuple[str, str]]:
    snapshot = doc.run.code()
    commit = snapshot or mapping(environment.get("code"))
    if commit.get("commit"):
        dirty = ", with changes that were not committed: the commit alone is not this code"
        yield "code", f"git {commit['commit']}{dirty if commit.get('dirty') else ''}"
    elif snapshot:
        yield "code", f"{NONE}: {snapshot.get('without_git') or 'the repository has no commit yet'}"
    elif environment:
        yield "code", f"{NONE}: the lab is not in a git repository"
    if snapshot:
        yield "code as it was", f"runs/{doc.run.id}/{doc.run.paths.code.name}"
    if environment:
        versions = mapping(environment.get("versions"))
        yield "versions", ", ".join(f"{name} {v}" for name, v in versions.items()) or NONE


def _machine(doc: Document, environment: dict[str, Any]) -> Iterator[tuple[str, str]]:
    hardware = mapping(environment.get("hardware"))
    if hardware:
        parts = [str(hardware.get("cpu") or "unknown CPU"), f"{hardware.get('cores')} cores"]
        if isinstance(memory := hardware.get("memory"), int):
            parts.append(size(memory))
        gpus = hardware.get("gpus")
        parts += [str(gpu) for gpu in gpus] if isinstance(gpus, list) and gpus else ["no GPU"]
        yield "machine", ", ".join(parts)
        yield "system", str(hardware.get("system") or NONE)
    host = hardware.get("host") or doc.status.process.get("host")
    if host:
        yield "host", str(host)
    if device := doc.facts.get("device"):
        yield "trained on", str(device)


def _script(script: str, argv: object) -> Iterator[Block]:
    """How a script was called; `argv` is the interpreter, the script and its arguments."""
    if not script:
        yield "*Not recorded: the program was typed in or read from a pipe, not a file.*"
    elif isinstance(argv, list) and len(argv) > 1:
        yield fence(shlex.join(["python", *map(str, argv[1:])]), "sh")
    else:
        yield fence(f"python {shlex.quote(script)}", "sh")
        yield "*Its arguments are not recorded: it ended within a second.*"


def _times(doc: Document) -> Iterator[tuple[str, str]]:
    row = doc.run.row
    yield "started", moment(row.started) or NONE
    yield "ended", moment(row.ended) or NONE
    again = f" (attempt {row.attempt}; earlier ones not counted)" if row.attempt > 1 else ""
    yield "duration", (duration(row.duration) if row.duration is not None else NONE) + again


def _no_environment(doc: Document) -> str:
    if doc.kind == "script":
        return "since the script ended within a second"
    return "since " + doc.absence if not doc.status.over else "`environment.json` is missing or broken"
