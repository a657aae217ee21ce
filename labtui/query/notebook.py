"""What was written in a lab: on runs, sweeps, recipes, and the lab itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from labtui.errors import LabError
from labtui.files.paths import LabPaths, Noted
from labtui.notes import Entry, entries

if TYPE_CHECKING:
    from labtui.query.lab import Lab, Run


def recipe_path(source: str) -> str:
    """The path below `recipes/` of the recipe that a row names; a file elsewhere as it is."""
    return source.removesuffix(" (edited)").removeprefix("recipes/")


def around(run: Run) -> list[Entry]:
    """What is written on a run, on its sweep and on its recipe."""
    return [entry for place in places(run.paths.lab, run.row.fields)[:-1] for entry in entries(place)]


def places(lab: LabPaths, row: Mapping[str, Any]) -> list[Noted]:
    """What a run belongs to, that can be written on: itself, its sweep, its recipe, the lab."""
    found: list[Noted] = [lab.run(row["id"])]
    with suppress(LabError):  # an id from other hands that is no name of a folder
        found += [lab.sweep(row["sweep"])] if row["sweep"] else []
    found += [lab.recipe_notes(recipe_path(row["recipe"]))] if row["recipe"] else []
    return [*found, lab]


def written(lab: Lab) -> list[Entry]:
    """All notes and to-dos of a lab: on the lab, on recipes and sweeps (also those that are gone), on runs."""
    lab.index.refresh()
    found: list[Noted] = [lab.paths, *lab.paths.noted_recipes()]
    with suppress(OSError):
        found += [lab.paths.sweep(path.name) for path in sorted(lab.paths.sweeps.iterdir())]
    found += [lab.paths.run(row["id"]) for row in lab.index.rows if row["note"]]
    return [entry for place in found for entry in entries(place)]
