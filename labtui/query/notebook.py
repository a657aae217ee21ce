"""What was written in a lab: on runs, sweeps, recipes, and the lab itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from labtui.errors import LabError
from labtui.files.paths import LabPaths, Noted
from labtui.notes import Entry, entries

if TYPE_CHECKING:
    from labtui.query.lab import Lab


def recipe_path(source: str) -> str:
    """The path below `recipes/` of the recipe that a row names; a file elsewhere as it is."""
    return source.removesuffix(" (edited)").removeprefix("recipes/")


def around(lab: LabPaths, rows: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """What is written on recipes, sweeps and runs.

    Args:
        rows: the runs'.
    """
    found = dict.fromkeys(place for row in rows for place in places(lab, row) if place != lab)
    order = ("recipe", "sweep", "run")
    return _all(sorted(found, key=lambda place: order.index(place.kind)))


def places(lab: LabPaths, row: Mapping[str, Any]) -> list[Noted]:
    """What a run belongs to that may be written on: itself if it is, its sweep, its recipe, the lab."""
    found: list[Noted] = [lab.run(row["id"])] if row["note"] else []
    with suppress(LabError):  # an id from other hands that is no name of a folder
        found += [lab.sweep(row["sweep"])] if row["sweep"] else []
    found += [lab.recipe_notes(recipe_path(row["recipe"]))] if row["recipe"] else []
    return [*found, lab]


def written(lab: Lab) -> list[Entry]:
    """All notes and to-dos of a lab: on the lab, on recipes and sweeps (also those that are gone), on runs."""
    lab.index.refresh()
    return _all(noted(lab.paths, lab.index.rows))


def noted(lab: LabPaths, rows: Iterable[Mapping[str, Any]]) -> list[Noted]:
    """All of a lab that may be written on: the lab, recipes, sweeps, and the runs that are.

    Args:
        rows: all runs'.
    """
    found: list[Noted] = [lab, *lab.noted_recipes()]
    with suppress(OSError):
        names = sorted(path.name for path in lab.sweeps.iterdir())
        found += [lab.sweep(name) for name in names if not name.startswith(".")]
    return [*found, *(lab.run(row["id"]) for row in rows if row["note"])]


def _all(places: Iterable[Noted]) -> list[Entry]:
    return [entry for place in places for entry in entries(place)]


def dated(entries: Iterable[Entry]) -> list[Entry]:
    """The oldest first, the undated last."""
    return sorted(entries, key=lambda entry: (entry.time is None, entry.time or 0.0))
