"""Commands by the names that settings have for them, and what is wrong with the keys of a user.

Loads every screen, to know their commands: only where somebody sets keys.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from textual.keys import Keys as Known
from textual.keys import key_to_character
from textual.widget import Widget

from labtui.cells import clean
from labtui.files.plain import nearest
from labtui.files.settings import KEYS, source
from labtui.tui.commands import COMMON, MOVE, Command, listed


@cache
def declared() -> dict[type[Any], tuple[Command, ...]]:
    """Every class of screens and widgets that declares commands, with them."""
    import labtui.tui

    for found in pkgutil.walk_packages(labtui.tui.__path__, "labtui.tui."):
        importlib.import_module(found.name)
    return {owner: owner.KEYS for owner in _below(Widget) if owner.__dict__.get("KEYS")}


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("labtui."):
            yield child
        yield from _below(child)


def wrong_keys(keys: Mapping[str, str], root: Path) -> dict[str, str]:
    """What is wrong with the keys of `[keys]`: names of commands, and messages that name file and key.

    Args:
        keys: names of commands, and the keys that they are to have.
        root: the lab, for the name of the file.
    """
    owners = [
        (*commands, *(c for c in (*MOVE, *COMMON) if c not in commands)) for commands in declared().values()
    ]
    known = {command.name for commands in owners for command in commands}
    found: dict[str, str] = {}
    for name, given in keys.items():
        strange = [key for key in listed(given) if not _exists(key)]
        if name not in known:
            found[name] = "no such command" + (
                _near(name, known) or "; the help of each screen names its own"
            )
        elif strange or not listed(given):
            found[name] = (
                f"no such key: {', '.join(strange) or 'none is given'}; for example 'x', 'ctrl+x', 'f5'"
            )
        elif other := _clash(name, {n: k for n, k in keys.items() if n not in found}, owners):
            found[name] = f"{other!r} has this key already; give that one another"
    return {
        name: clean(f"{source(root, KEYS, name)}: {KEYS}.{name} = {keys[name]!r}: {text}")
        for name, text in found.items()
    }  # fmt: skip


def _near(name: str, known: set[str]) -> str:
    text = nearest(name, known)
    return text if "did you mean" in text else ""  # not all hundred of them


def _exists(key: str) -> bool:
    """Whether a terminal can send a key of this name."""
    *modifiers, last = key.split("+")
    if not set(modifiers) <= {"ctrl", "shift", "alt"}:
        return False
    return key_to_character(last) is not None or last in set(Known)


def _clash(name: str, keys: Mapping[str, str], owners: list[tuple[Command, ...]]) -> str:
    """A command that stands beside this one somewhere and has one of its keys; empty: none."""
    mine = set(listed(keys[name]))
    for commands in owners:
        if any(command.name == name for command in commands):
            for other in commands:
                if other.name != name and mine & set(listed(keys.get(other.name, other.key))):
                    return other.name
    return ""
