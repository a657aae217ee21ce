"""What holds for the screens before any of them is shown."""

from __future__ import annotations

import subprocess
import sys

from labtui.tui.commands import CELLS, COMMON, LAB, LAUNCH, ONE, RECIPES


def test_commands_are_declared_once():
    for commands in (LAB, RECIPES, ONE, CELLS, LAUNCH):
        keys = [key for command in commands for key in command.key.split(",")]
        assert len(keys) == len(set(keys))
    assert all(command in LAB for command in COMMON)


def test_the_first_picture_needs_nothing_heavy():
    program = "import sys, labtui.tui.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    heavy = {"torch", "numpy", "pydantic", "plotext", "matplotlib", "markdown_it", "tree_sitter", "scipy"}
    assert heavy & set(done.stdout.split()) == set()
