"""What the sections of a lab's report share: the index's rows, by families, and what people wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from labtui.files.paths import Noted
from labtui.notes import Entry
from labtui.query.families import Family, families
from labtui.query.lab import Run
from labtui.query.notebook import places, written
from labtui.report.blocks import Mean
from labtui.report.document import Beside
from labtui.scores import beats, clearance

if TYPE_CHECKING:
    from labtui.diagnose import Diagnosis
    from labtui.query.aggregate import Group
    from labtui.query.lab import Lab
    from labtui.query.progress import Progress

Fields = Mapping[str, Any]
VERDICTS = {True: "yes", None: "–", False: "NO"}


@dataclass
class Document:
    """A lab as its report sees it.

    Args:
        lab: the lab; its index is brought up to date once.
        beside: gets the tables that go with the text.
    """

    lab: Lab
    beside: Beside

    @cached_property
    def rows(self) -> list[Fields]:
        """All runs, oldest first."""
        self.lab.index.refresh()
        return [*self.lab.index.rows]

    @cached_property
    def families(self) -> list[Family]:
        """The model families, one data set after the other."""
        return families(self.rows)

    @cached_property
    def of_run(self) -> dict[str, Family]:
        """A run's id to its family."""
        return {row["id"]: family for family in self.families for row in family.rows}

    def run(self, row: Fields) -> Run:
        """A run with its row."""
        return Run(self.lab.paths.run(row["id"]), dict(row))

    @cached_property
    def diagnosed(self) -> dict[str, Diagnosis]:
        """A run's id to what the rules say: of the best of each family, then of the newest of each in turn, as many
        as `labtui.query.diagnosis` looks at."""
        from labtui.query.diagnosis import diagnoses

        bests = [family.run_of(family.best) for family in self.families if family.best]
        turns = zip_longest(*(reversed(family.rows) for family in self.families))
        order = [*bests, *(row for turn in turns for row in turn if row)]
        return diagnoses(self.run(row) for row in {row["id"]: row for row in order}.values())

    @cached_property
    def written(self) -> list[Entry]:
        """What people wrote: on the lab, then on recipes, sweeps and runs."""
        return written(self.lab)

    def whose(self, entry: Entry) -> Family | None:
        """The family that something written is about; None: the whole lab, several families, or none any more."""
        return self._owners.get(entry.of)

    @cached_property
    def _owners(self) -> dict[Noted, Family | None]:
        found: dict[Noted, Family | None] = {}
        for family in self.families:
            for place in {place for row in family.rows for place in places(self.lab.paths, row)}:
                found[place] = None if place in found or place == self.lab.paths else family
        return found

    @cached_property
    def sweeps(self) -> list[Progress]:
        """The lab's sweeps, oldest first."""
        from labtui.query.sweeps import known_sweeps

        return known_sweeps(self.lab)

    @cached_property
    def methods(self) -> dict[str, str]:
        """A sweep's id to how its cells are made, of those that have several."""
        return {one.sweep: one.method for one in self.sweeps if one.method and len(one.lines) > 1}

    def title(self, family: Family) -> str:
        """A family's name; without the data set where all have the same."""
        alone = len({one.data for one in self.families if one.data}) < 2
        return family.model if alone else family.name


def mean(group: Group, metric: str) -> Mean | float | None:
    """A configuration's figure: one number where it is one run."""
    found = group.spreads.get(metric)
    if found is None or found.mean is None:
        return None
    if len(group.rows) == 1:
        return found.mean
    return Mean(found.mean, found.std, found.n, len(group.rows), found.nan)


def beaten(family: Family) -> tuple[str, float | None]:
    """Whether a family's best configuration beats the best constant answer, in a word, and what that has; by the
    test data where there are any, for the best epoch was chosen by the validation data."""
    best, chance = family.best, family.chance
    for metric in (family.test, family.metric):
        constant = chance.get(metric)
        spread = best.spreads.get(metric) if best else None
        if constant is None or spread is None or spread.mean is None:
            continue
        if not beats(spread.mean, constant, family.goal):
            return "NO", constant
        samples = family.run_of(best)["facts"].get(metric.partition(".")[0]) if best else None
        least = clearance(metric, constant, samples, spread.std)
        return ("yes" if abs(spread.mean - constant) > least else "within chance"), constant
    return VERDICTS[None], None
