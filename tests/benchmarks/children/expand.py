"""Trainings of a recipe, each with its key, no directory made."""

import sys
from pathlib import Path

from labtui.recipe.read import load
from labtui.sweep import Plan

file = Path(sys.argv[1])
keys = {training.key for training in Plan(load(file), file.name)}
assert len(keys) == int(sys.argv[2])
assert sorted(path.name for path in file.parent.iterdir()) == ["grid.toml", "space.json"]
