"""What the sections of a sweep's report share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from labtui.files.paths import EDITED
from labtui.files.toml import short_keys
from labtui.grouped import names
from labtui.query.aggregate import Aggregate, Column, Group, aggregate, goal_of, monitored
from labtui.query.lab import Run
from labtui.query.repeats import folded
from labtui.query.spread import Spread, spread_of
from labtui.report.blocks import Mean
from labtui.report.document import Beside
from labtui.scores import split_of

if TYPE_CHECKING:
    from labtui.query.lab import Lab
    from labtui.query.progress import Progress
    from labtui.report.run import document as of_run


@dataclass(frozen=True)
class Document:
    """A sweep, or any runs, as their report sees them.

    Args:
        found: the groups, with the figures of `reported`.
        beside: gets the tables that go with the text.
        log: keys that are seen on a logarithmic scale, whatever they span.
        lab: where the runs are.
        recipe: the file all of whose runs they are, as runs name it; empty: they are chosen otherwise.
    """

    found: Aggregate
    beside: Beside
    log: Collection[str]
    lab: Lab
    recipe: str = ""

    @cached_property
    def rows(self) -> list[Mapping[str, Any]]:
        """The rows of all runs."""
        return [row for group in self.found.groups for row in group.rows]

    @property
    def sweep(self) -> str:
        """Its id; empty: the runs are of none."""
        return next((str(row["sweep"]) for row in self.rows), "")

    @cached_property
    def sweeps(self) -> list[str]:
        """Ids of all sweeps that runs are of."""
        return list(dict.fromkeys(str(row["sweep"]) for row in self.rows if row["sweep"]))

    @cached_property
    def recipes(self) -> list[str]:
        """Files that the runs come from, whether they were edited for a launch or not."""
        known = [str(row["recipe"]).removesuffix(EDITED) for row in self.rows]
        return [one for one in dict.fromkeys(known) if one]

    @cached_property
    def runs(self) -> list[Run]:
        """All runs, with what lies in their directories."""
        return [Run(self.lab.paths.run(row["id"]), dict(row)) for row in self.rows]

    @cached_property
    def folds(self) -> bool:
        """Whether they are the folds of one configuration, and nothing else."""
        return len(self.found.groups) == 1 and folded(self.rows)

    @cached_property
    def metric(self) -> str:
        """The figure that configurations are compared by first: the monitored metric's on test data, else
        on validation data; empty: there is none."""
        keys = [column.key for column in self.found.columns]
        known = [f"test.{split_of(key)[1]}" for key in keys[:1]] + keys
        return next((key for key in known if key in keys), "")

    @cached_property
    def pinned(self) -> bool:
        """Whether the configuration that others are compared with was chosen by the user."""
        return len(self.sweeps) == 1 and self.lab.paths.sweep(self.sweeps[0]).baseline.exists()

    @cached_property
    def progress(self) -> dict[str, Progress]:
        """Each sweep with the cells that it was to have, by its id; without those that nothing is kept of."""
        from labtui.errors import LabError
        from labtui.query.sweeps import Watch

        found = {}
        for sweep in self.sweeps:
            with suppress(LabError):
                rows = [row for row in self.lab.index.rows if row["sweep"] == sweep]
                found[sweep] = Watch(self.lab, sweep).update(rows)
        return found

    def run(self, run_id: str) -> Run:
        """One of the runs."""
        return self.one(run_id).run

    def one(self, run_id: str) -> of_run.Document:
        """One of the runs as its own report sees it, read once."""
        if run_id not in self._read:
            from labtui.report.run.document import Document as OfRun

            self._read[run_id] = OfRun(self._runs[run_id], self.beside)
        return self._read[run_id]

    @cached_property
    def _runs(self) -> dict[str, Run]:
        return {run.id: run for run in self.runs}

    @cached_property
    def _read(self) -> dict[str, of_run.Document]:
        return {}


def reported(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The figures of a report on several runs: the monitored metric at its best epoch and at the last, then
    every score on test data at that best epoch; where nothing was tested, on validation data. Losses only where
    they are monitored."""
    rows = list(rows)
    chosen = [metric for metric in dict.fromkeys(map(monitored, rows)) if metric]
    parts = {split_of(name)[1] for name in chosen}
    known = dict.fromkeys(name for row in rows for name in row["metrics"])
    scores = [name for name in known if split_of(name)[1] in parts or not name.endswith("loss")]
    tested = [name for name in scores if split_of(name)[0] == "test"]
    held_out = [name for name in scores if split_of(name)[0] not in ("", "train", "test")]
    return list(
        dict.fromkeys([key for name in chosen for key in (name, f"{name}.last")] + (tested or held_out))
    )


def beside_first(table: Aggregate) -> Aggregate:
    """Groups beside the first of several runs, where another is of several, too, and nothing is pinned: else no
    spread tells what a difference is worth."""
    repeated = [group for group in table.groups if any(one.n > 1 for one in group.spreads.values())]
    if table.baseline or table.trouble or len(repeated) < 2:
        return table
    rows = [row for group in table.groups for row in group.rows]
    keys = [column.key for column in table.columns]
    return aggregate(rows, table.keys, keys, baseline=[repeated[0].rows[0]["id"]])


def named(doc: Document) -> tuple[list[str], list[list[Any]]]:
    """What each group is, in few columns: their names, and a line a group. Titles tell the cells of one sweep apart,
    but not those of several."""
    keys, groups = doc.found.keys, doc.found.groups
    short = dict(zip(keys, short_keys(keys), strict=True))
    if len(doc.sweeps) > 1 and keys:
        return list(short.values()), [[group.values[key] for key in keys] for group in groups]
    columns, lines = names(doc.found, short=True)
    return [short.get(column, column) for column in columns], lines


def mean(found: Spread, of: int) -> Mean:
    """A figure of so many runs as a cell."""
    return Mean(found.mean, found.std, found.n, of, found.nan)


def over(rows: Collection[Mapping[str, Any]], key: str) -> Mean:
    """A figure's mean over finished runs, as a cell."""
    return mean(spread_of(rows, key), len(rows))


def column(rows: Iterable[Mapping[str, Any]], key: str) -> Column:
    """A figure, and which way it is better."""
    return Column(key, goal_of(rows, key))


def figures(group: Group, columns: Iterable[Column]) -> list[Mean]:
    """Cells of a group's figures."""
    return [mean(group.spreads[one.key], len(group.rows)) for one in columns]
