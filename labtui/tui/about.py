"""What a run is, as rows: how it differs from another, its recipe, model, data, and what it ran in. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labtui.cells import clean, fit, pad, width, wrap
from labtui.confusion import BROKEN
from labtui.layers import layer_lines
from labtui.rows import Row
from labtui.scores import scores
from labtui.table import cell, number, size
from labtui.tui.tables import beside

NAMES = 28
"""Cells of a key at most."""
MOST = 40
"""Classes that are listed one by one."""
RARE = 3
"""A class is rare when another has at least so many times as many samples."""
ABSENT = "–"


def differing(params: Mapping[str, Any], others: Mapping[str, Any]) -> list[str]:
    """Keys of two recipes that are not the same."""
    keys = dict.fromkeys([*params, *others])
    absent = object()
    return [key for key in keys if repr(params.get(key, absent)) != repr(others.get(key, absent))]


def difference_rows(row: Mapping[str, Any], other: Mapping[str, Any], room: int) -> list[Row]:
    """Recipe keys and scores of a run beside another one's; of scores the difference too."""
    keys = differing(row["params"], other["params"])
    monitor = str(row["params"].get("validate.monitor") or "")
    both = [name for name in scores(row["metrics"], monitor) if name in other["metrics"]]
    names = [clean(key) for key in [*keys, *both]]
    if not names:
        return [[("the same recipe, and no score that both have", "dim")]]
    label = min(max(map(width, names)), NAMES)
    half = max((room - label - 12) // 2, 8)
    texts = [[_value(one["params"], key) for one in (row, other)] for key in keys]
    figures = [[one["metrics"][name]["at_best"] for one in (row, other)] for name in both]
    numbers = [["" if v is None else number(v) for v in pair] for pair in figures]
    wide = min(max([6, *(width(t) for pair in [*texts, *numbers] for t in pair)]), half)
    rows: list[Row] = [
        [(" " * label, ""), (f" {pad('this', wide, 'right')} {pad('that', wide, 'right')}", "head")]
    ]
    for key, pair in zip(keys, texts, strict=True):
        mine, theirs = (pad(text, wide, "right") for text in pair)
        rows.append([(pad(clean(key), label), "accent"), (f" {mine}", "bold"), (f" {theirs}", "dim")])
    for name, pair, (mine, theirs) in zip(both, numbers, figures, strict=True):
        text, style = beside(mine, theirs, row["metrics"][name]["goal"])
        left, right = (pad(text, wide, "right") for text in pair)
        rows.append(
            [
                (pad(clean(name), label), ""),
                (f" {left}", "bold"),
                (f" {right}", "dim"),
                (f" {text:>10}", style),
            ]
        )
    if not keys:
        rows.append([("the same recipe", "dim")])
    return rows


def _value(params: Mapping[str, Any], key: str) -> str:
    return cell(params[key]) if key in params else ABSENT


def recipe_rows(params: Mapping[str, Any], others: Mapping[str, Any] | None, room: int) -> list[Row]:
    """Every option; what another recipe has otherwise is marked, with its value there."""
    label = min(max([1, *(width(clean(key)) for key in params)]), NAMES)
    changed = set(differing(params, others)) if others is not None else set()
    rows: list[Row] = []
    for key, value in params.items():
        new = key in changed
        first: Row = [
            ("● " if new else "  ", "accent"),
            (pad(clean(key), label) + "  ", "accent" if new else "dim"),
        ]
        there = f"   there {_value(others, key)}" if new and others is not None else ""
        lines = wrap(cell(value), max(room - label - 4, 10))
        rows.append([*first, (lines[0], "bold" if new else "")])
        rows += [[(" " * (label + 4) + line, "")] for line in lines[1:]]
        rows[-1].append((fit(there, max(room - sum(width(text) for text, _ in rows[-1]), 0)), "dim"))
    return rows


def model_rows(layers: Any, data: Any) -> list[Row]:
    """The layer table."""
    shape = data.get("shape") if isinstance(data, Mapping) else None
    try:
        lines = layer_lines(layers, shape)
    except BROKEN:
        return [[("artifacts/layers.json has not the form that labtui writes", "bad")]]
    return [[(clean(line), "dim" if set(line) <= set("-=") else "")] for line in lines]


def data_rows(data: Any, room: int) -> list[Row]:
    """Where the data came from and what the model sees; samples of each split, and of each class."""
    try:
        return list(_data(data, room))
    except (*BROKEN, ZeroDivisionError):
        return [[("artifacts/data.json has not the form that labtui writes", "bad")]]


def _data(data: Any, room: int) -> Iterator[Row]:
    facts = [(str(key), cell(value)) for key, value in dict(data["facts"]).items()]
    facts.append(("sample", f"{_shape(data['shape'])}" + (
        f", stored as {_shape(data['stored_shape'])}" if list(data["stored_shape"]) != list(data["shape"]) else "")))  # fmt: skip
    facts.append(("task", str(data["task"])))
    yield from pairs(facts, room)
    splits = {str(name): part for name, part in data["splits"].items() if part["samples"]}
    total = sum(part["samples"] for part in splits.values())
    names = [clean(str(name)) for name in data["classes"]]
    counted = {name: part["per_class"] for name, part in splits.items() if part["per_class"]}
    label = min(max([7, *(map(width, names if counted else []))]), NAMES)
    yield []
    yield [(" " * label, ""), ("".join(f"{clean(name)[:9]:>10}" for name in splits), "head")]
    yield [
        (pad("samples", label), "dim"),
        ("".join(f"{part['samples']:>10,}" for part in splits.values()), "bold"),
    ]
    shares = "".join(f"{100 * part['samples'] / total:>8.1f} %" for part in splits.values())
    yield [(pad("share", label), "dim"), (shares, "dim")]
    if not counted:
        return
    in_all = [sum(column) for column in zip(*counted.values(), strict=True)]
    for place, name in enumerate(names[:MOST]):
        row = "".join(f"{counted[split][place]:>10,}" if split in counted else " " * 10 for split in splits)
        rare = in_all[place] * RARE <= max(in_all)
        yield [(pad(name, label), ""), (row, "warn" if rare else "")]
    if len(names) > MOST:
        yield [(f"and {len(names) - MOST} more classes", "dim")]
    if min(in_all) == max(in_all):
        yield [(f"balanced: {in_all[0]:,} samples of each", "dim")]
    elif min(in_all):
        yield [
            (
                f"the commonest class has {number(max(in_all) / min(in_all), 2)} times as many as the rarest",
                "dim",
            )
        ]


def _shape(shape: Sequence[Any]) -> str:
    return " × ".join(str(int(n)) for n in shape) or "one number"


def environment_rows(
    environment: Mapping[str, Any], code: Mapping[str, Any], row: Mapping[str, Any], room: int
) -> list[Row]:
    """Code, versions, machine and command line.

    Args:
        environment: `environment.json`.
        code: `snapshot.json`, of a run with a copy of the code.
    """
    if not environment:
        return [[("environment.json is not there yet", "dim")]] if row["state"] == "running" else []
    found: list[tuple[str, str]] = []
    git = code if code.get("commit") else environment.get("code")
    if isinstance(git, Mapping) and git.get("commit"):
        dirty = ", with changes that were not committed" if git.get("dirty") else ""
        found.append(("commit", f"{git['commit']}{dirty}"))
    else:
        found.append(("commit", "none: the lab is in no git repository"))
    if code:
        found.append(("code", f"runs/{row['id']}/code, a copy as it was"))
    versions, hardware = environment.get("versions"), environment.get("hardware")
    if isinstance(versions, Mapping):
        found.append(("versions", ", ".join(f"{name} {version}" for name, version in versions.items())))
    if isinstance(hardware, Mapping):
        parts = [str(hardware.get("cpu") or "unknown CPU"), f"{hardware.get('cores')} cores"]
        parts += [size(memory)] if isinstance(memory := hardware.get("memory"), int) else []
        gpus = hardware.get("gpus")
        parts += [str(gpu) for gpu in gpus] if isinstance(gpus, list) and gpus else ["no GPU"]
        found += [("machine", ", ".join(parts)), ("host", str(hardware.get("host") or ABSENT))]
        found.append(("system", str(hardware.get("system") or ABSENT)))
    if device := row["facts"].get("device"):
        found.append(("device", str(device)))
    argv = environment.get("argv")
    if isinstance(argv, list):
        found.append(("command", shlex.join(map(str, argv))))
    return list(pairs(found, room))


def pairs(found: Sequence[tuple[str, str]], room: int) -> Iterator[Row]:
    """Names and values, the values wrapped."""
    label = min(max([8, *(width(clean(name)) for name, _ in found)]), NAMES)
    for name, value in found:
        lines = wrap(clean(value), max(room - label - 2, 10))
        yield [(pad(clean(name), label) + "  ", "dim"), (lines[0], "")]
        for line in lines[1:]:
            yield [(" " * (label + 2) + line, "")]
