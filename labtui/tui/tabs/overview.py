"""What a run is: how it stands, how it differs from another, its recipe, model, data and environment."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from labtui.cells import clean
from labtui.errors import LabError
from labtui.query.baseline import pinned
from labtui.query.lab import Run
from labtui.tui.about import data_rows, difference_rows, environment_rows, model_rows, recipe_rows
from labtui.tui.detail import Detail
from labtui.tui.panes import overview_rows
from labtui.tui.tabs.text import SectionsTab
from labtui.tui.want import Eyes, Want, file_stamp
from labtui.tui.widgets.sections import Section

SCORES = 4
"""Scores that are shown here; the results have all."""


@dataclass(frozen=True)
class About:
    """What is known of a run beside its detail."""

    row: dict[str, Any]
    other: dict[str, Any] | None = None
    """The row of the run that it is compared with."""
    why: str = ""
    """Why that one."""
    environment: dict[str, Any] = field(default_factory=dict)
    code: dict[str, Any] = field(default_factory=dict)
    layers: Any = None
    data: Any = None


@dataclass(frozen=True)
class WantAbout(Want):
    """What a run is: found is an `About`.

    Args:
        baseline: id of the run that the lab's table compares with; empty: none.
    """

    run: str
    baseline: str = ""

    def stamp(self, eyes: Eyes) -> object:
        """The files', and whether a row changed: its own, or the other's."""
        paths = eyes.lab.paths.run(self.run)
        files = [
            paths.environment,
            paths.snapshot,
            paths.artifacts / "layers.json",
            paths.artifacts / "data.json",
        ]
        return eyes.changes, [file_stamp(file) for file in files]

    def look(self, eyes: Eyes, before: About | None) -> About | None:
        """Read them."""
        run = eyes.run(self.run)
        if run is None:
            return None
        other, why = compared_with(eyes, run, self.baseline)
        return About(
            dict(run.row),
            other,
            why,
            run.environment(),
            run.code(),
            run.artifact("layers"),
            run.artifact("data"),
        )


def compared_with(eyes: Eyes, run: Run, baseline: str) -> tuple[dict[str, Any] | None, str]:
    """The row of the run that one is compared with, and why that one: the pinned baseline of the table, or of
    its sweep; else the one before it of the same recipe."""
    index = eyes.lab.index
    if baseline and baseline != run.id and (row := index.row(baseline)):
        return row, "the baseline"
    if sweep := run.row["sweep"]:
        with suppress(LabError):  # its file is broken, or names a path
            ids = pinned(eyes.lab.paths, sweep, eyes.rows(sweep))
            if ids and run.id not in ids and (row := index.row(ids[0])):
                return row, "the sweep's baseline"
    by = "recipe" if run.row["recipe"] else "name"
    earlier = [row for row in index.rows if row[by] == run.row[by] and row["id"] < run.id]
    return (max(earlier, key=lambda row: row["id"]), "the run before it") if earlier else (None, "")


class OverviewTab(SectionsTab):
    """State and best figure first, then what differs, then everything else."""

    TITLE = "overview"

    def __init__(self) -> None:
        super().__init__()
        self.about: About | None = None

    def wants(self) -> tuple[Want, ...]:
        """All of it."""
        arranged = getattr(self.app.screen_stack[0], "arranged", None)
        return (WantAbout(self.slot("all"), self.run, getattr(arranged, "baseline", "")),)

    def found(self, name: str, value: Any) -> None:
        """Show it."""
        self.about = value
        self.show()

    def show_detail(self, detail: Detail) -> None:
        """How it stands."""
        self.show()

    def clear(self) -> None:
        """Another run."""
        self.about = None
        super().clear()

    def show(self) -> None:
        """Lay it out for the room there is."""
        detail, about = self.run_screen.detail, self.about
        if detail is None:
            return
        now, room = self.run_screen.lab_app.now(), max(self.text.size.width - 3, 30)
        beside = self.screen.has_class("-wide")  # there it stands already
        parts = [] if beside else [Section("", overview_rows(detail, now, SCORES, room))]
        if about is not None and about.row["id"] == detail.id:
            parts += sections(about, room)
        self.text.fill(parts)


def sections(about: About, room: int) -> list[Section]:
    """What is told of a run beside how it stands."""
    row, other = about.row, about.other
    parts = []
    if other is not None:
        head = f"compared with {about.why}, {clean(other['name'])} {other['id'][-4:]}"
        parts.append(Section(head, difference_rows(row, other, room)))
    recipe = f"recipe{', ● differs' if other is not None else ''}"
    parts.append(Section(recipe, recipe_rows(row["params"], other["params"] if other else None, room)))
    if about.layers is not None:
        parts.append(Section("model", model_rows(about.layers, about.data)))
    if about.data is not None:
        parts.append(Section("data", data_rows(about.data, room)))
    parts.append(Section("environment", environment_rows(about.environment, about.code, row, room)))
    return parts
