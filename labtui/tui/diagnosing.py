"""What is wrong with a run, for its screen."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labtui.cells import clean
from labtui.rows import Row
from labtui.tui.want import Eyes, Want, file_stamp

if TYPE_CHECKING:
    from labtui.diagnose import Diagnosis

PAUSE = 5.0
"""Seconds between two looks at a run that is training, at least."""
ARTIFACTS = (
    "weights.npz", "activations.npz", "inputs.json", "outputs.json", "confusion.json", "layers.json",
)  # fmt: skip
"""What rules rest on beside the log."""


@dataclass(frozen=True)
class WantDiagnosis(Want):
    """What the rules say of a run: found is a `Diagnosis`."""

    run: str

    @property
    def drawn_runs(self) -> Sequence[str]:
        """It reads the run's series."""
        return [self.run]

    def stamp(self, eyes: Eyes) -> object:
        """State, artifacts, and the size of the log; while it trains the time instead, which runs slower."""
        run = eyes.run(self.run)
        if run is None:
            return None
        live = run.row["state"] == "running"
        folder = run.paths.artifacts
        grown = int(time.monotonic() / PAUSE) if live else eyes.grown(self.run)
        files = () if live else tuple(file_stamp(folder / name) for name in ARTIFACTS)
        return run.row["state"], grown, files

    def look(self, eyes: Eyes, before: Diagnosis | None) -> Diagnosis | None:
        """Ask the rules."""
        run = eyes.run(self.run)
        if run is None:
            return None
        from labtui.query.diagnosis import diagnosis

        return diagnosis(run, eyes.series(self.run))


def badge(found: Diagnosis | None) -> Row:
    """How many findings there are, for a title."""
    number = len(found.findings) if found else 0
    return [(f" ! {number} finding{'s' if number > 1 else ''} ", "warn")] if number else []


def diagnosis_rows(found: Diagnosis, width: int) -> list[Row]:
    """Findings with what they rest on and what helps; which rules were asked."""
    rows: list[Row] = []
    for number, one in enumerate(found.findings, 1):
        rows += _wrapped(f"{number}  ", clean(one.text), width, "warn")
        for line in one.evidence:
            rows += _wrapped("   · ", clean(line), width, "")
        rows += _wrapped("   → ", clean(one.advice), width, "dim")
        rows.append([])
    if not found.findings and found.asked:
        rows += [[("✓ ", "good"), ("nothing was found", "")], []]
    if not (found.findings or found.asked) and found.unasked:
        return [[(f"not asked: none of the {len(found.unasked)} rules has what it needs", "dim")]]
    for said, names in (("asked", found.asked), ("not asked", found.unasked)):
        if names:
            rows += _wrapped("", f"{said}: {', '.join(names)}", width, "dim")
    return rows


def _wrapped(first: str, text: str, width: int, style: str) -> list[Row]:
    """A text below and beside a sign."""
    lines = textwrap.wrap(text, max(width - len(first), 20), break_on_hyphens=False) or [""]
    return [[(first if at == 0 else " " * len(first), "dim"), (line, style)] for at, line in enumerate(lines)]
