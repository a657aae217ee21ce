"""What holds for the screens before any of them is shown."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest
from textual.widget import Widget

import labtui.tui
from labtui.tui.app import LabApp
from labtui.tui.commands import COMMON, Command
from labtui.tui.screens.base import Base

for found in pkgutil.walk_packages(labtui.tui.__path__, "labtui.tui."):
    importlib.import_module(found.name)


def every(kind: type) -> list[type]:
    """All classes of labtui below a class."""
    below = [one for child in kind.__subclasses__() for one in (child, *every(child))]
    return [one for one in dict.fromkeys(below) if one.__module__.startswith("labtui.")]


OWNERS = [one for one in every(Widget) if any(isinstance(c, Command) for c in getattr(one, "KEYS", ()))]


@pytest.mark.parametrize("owner", OWNERS)
def test_commands_are_declared_once(owner):
    keys = [key for command in owner.KEYS for key in command.key.split(",")]
    assert len(keys) == len(set(keys))
    names = [command.name for command in owner.KEYS]
    assert len(names) == len(set(names)), "settings could not tell them apart"


@pytest.mark.parametrize("owner", OWNERS)
def test_every_command_is_bound_and_has_its_action(owner):
    bound = {binding.id for binding in owner.BINDINGS if hasattr(binding, "id")}
    for command in owner.KEYS:
        assert command.name in bound
        name = command.action.partition("(")[0].rpartition(".")[2]
        owners = every(Base) if command.action.startswith("screen.") else [owner, LabApp]
        assert any(hasattr(one, f"action_{name}") for one in owners) or name == "palette", name


def test_every_screen_has_help_and_quit():
    for screen in every(Base):
        if hasattr(screen, "CSS_PATH") and screen.__name__ != "LaunchScreen":
            assert set(COMMON) <= set(screen.KEYS) or not screen.KEYS


def test_the_first_picture_needs_nothing_heavy():
    program = "import sys, labtui.tui.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    keys = "import sys, labtui.tui.screens.launch, labtui.tui.screens.report; print(*sys.modules)"
    done_too = subprocess.run([sys.executable, "-c", keys], capture_output=True, check=True, text=True)
    assert {"pydantic", "numpy", "rich.markdown", "torch"} & set(done_too.stdout.split()) == set()
    heavy = {"torch", "numpy", "pydantic", "plotext", "matplotlib", "markdown_it", "tree_sitter", "scipy"}
    assert heavy & set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    ("arguments", "lab"),
    [([], ""), (["--lab", "x"], "x"), (["--lab=x"], "x"), (["ls"], None), (["--lab"], None), (["--lab", "x", "ls"], None),
     (["--help"], None), (["--debug"], None), (["--lab="], None), (["--lab", ""], None)],
)  # fmt: skip
def test_the_screens_alone_need_no_commands(arguments, lab):
    from labtui.cli import _of_screens

    assert _of_screens(arguments) == lab
