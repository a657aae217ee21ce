"""A recipe's options as a flat list: key, value, what it takes, what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labtui.files.toml import flatten, inline
from labtui.recipe.core import SPECS, Recipe
from labtui.recipe.lookup import dotted, expected, kinds_of, names_of, values_of

FIRST = ("sweep.repeats", "resources.gpus", "resources.priority", "resources.after")
"""What a launch is asked for most."""
_HIDDEN = ("format", "origin")
UNUSED = (*SPECS, "train", "validate", "checkpoints")
"""Tables that a command need not have."""


@dataclass(frozen=True)
class Option:
    """One key of a recipe."""

    key: str
    """Dotted."""
    value: str
    """As TOML; empty: absent."""
    default: str
    """As TOML; empty: none."""
    expected: str
    """What it takes, in a few words."""
    values: Mapping[str, str]
    """The values that it takes, as `--set` takes them, where they can be counted, each with what it is."""
    about: str
    """What it is for; may be of several lines."""


def options(recipe: Recipe) -> list[Option]:
    """The options that a recipe has, those of its kinds of data, model and so on among them.

    A command has those of the built-in training that it sets.
    """
    tables = recipe.tables()
    values = _flat(tables)
    found: dict[str, Option] = {}
    for key, node in dotted(kinds_of(tables)):
        table = key.partition(".")[0]
        unused = table in (UNUSED if recipe.command is not None else ("command", "params"))
        if table in _HIDDEN or (unused and key not in values):
            continue
        default = node.get("default")
        allowed = {_told(value): "" for value in values_of(node)}
        if table in SPECS and key == f"{table}.name":
            allowed = names_of(table)
        # A table within a table that is not there (a pruner, an augmentation) has no values.
        told = _told(values.get(key, default if key.count(".") < 2 else None))
        found[key] = Option(
            key, told, _told(default), expected(node), allowed, str(node.get("description", ""))
        )
    for key, value in values.items():  # of a part of the user's own, or of a command
        if key not in found and key.partition(".")[0] not in _HIDDEN:
            found.setdefault(key, Option(key, _told(value), "", "anything", {}, ""))
    first = [found[key] for key in FIRST if key in found]
    return [*first, *(option for key, option in found.items() if key not in FIRST)]


def _flat(tables: Mapping[str, Any]) -> dict[str, Any]:
    """By dotted keys; tables whose own keys may have dots stay whole."""
    whole = {"goals": tables.get("goals")}
    sweep = dict(tables.get("sweep") or {})
    whole |= {f"sweep.{name}": sweep.pop(name, None) for name in ("space", "when", "cells")}
    rest = flatten({k: v for k, v in tables.items() if k not in ("goals", "sweep")} | {"sweep": sweep})
    return rest | {key: value for key, value in whole.items() if value}


def _told(value: Any) -> str:
    """A value as TOML; texts, which `--set` takes plainly, without quotes."""
    if value is None:
        return ""
    return value if isinstance(value, str) else inline(value)
