"""What the rules of `labtui.diagnose` have to say of a run."""

from __future__ import annotations

from collections.abc import Mapping

from labtui.diagnose import Case, Diagnosis, diagnose, read
from labtui.files.atomic import read_json
from labtui.query.lab import Run
from labtui.series import Series


def case(run: Run, series: Mapping[str, Series] | None = None) -> Case:
    """A run as the rules look at it.

    Args:
        run: with its row.
        series: its metrics, if they are known.
    """
    row = run.row
    known = run.all_series() if series is None else series
    return read(
        run.recipe(),
        row.get("facts") or {},
        known,
        run.artifact,
        str(row.get("reason") or ""),
        (read_json(run.paths.result) or {}).get("best"),
        row.get("state") == "finished",
    )


def diagnosis(run: Run, series: Mapping[str, Series] | None = None) -> Diagnosis:
    """Ask all rules of a run."""
    return diagnose(case(run, series))
