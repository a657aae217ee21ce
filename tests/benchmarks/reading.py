"""Reading: one metric of a million points, alone in its log and among three, against np.fromfile."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from harness import Row, interleaved, median, seconds
from lab import lab_with

import labtui
from labtui.files.paths import LabPaths
from labtui.series import DTYPE


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    points = 100_000 if quick else 1_000_000
    alone = lab_with(points, "train.loss")
    among = lab_with(points, "train.loss", "val.loss", "test.loss")
    yield from _read(alone, f"read one metric of {points:,} points, alone", points, None if quick else 0.015)
    yield from _read(
        among, f"read one metric of {points:,} points, among three", points, None if quick else 0.045
    )


def _read(lab: LabPaths, work: str, points: int, target: float | None) -> Iterator[Row]:
    run = labtui.open(lab.root).run("@last")

    def bare() -> None:
        assert len(np.fromfile(run.paths.metrics, DTYPE)) % points == 0

    def series() -> None:
        steps, _, values = run.series("train.loss")
        assert len(steps) == len(values) == points and steps[-1] == points

    def opened() -> None:
        assert len(labtui.open(lab.root).run("@last").series("train.loss").values) == points

    series()
    bare_s, series_s, opened_s = (
        median(figures)
        for figures in interleaved(15, *(lambda do=do: seconds(do) for do in (bare, series, opened)))
    )
    yield Row(f"{work}; bare: np.fromfile", series_s, "s", bare_s, target)
    yield Row("  with opening the lab and finding the run", opened_s, "s", bare_s)
