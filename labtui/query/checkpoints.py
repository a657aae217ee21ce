"""Which weights of a run are on the disk, and of which step each file's are.

labtui names its files by what they hold: `best.pt` is of the monitored metric's best step, `best-<metric>.pt` of
that metric's, `epoch-NNNNN.pt` of that epoch's end, `last.pt` of the newest; what `checkpoints.name` calls them
is told by the scores of the epochs that were the best so far. Files of other names are somebody else's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from labtui.query.lab import Run


class Kept(NamedTuple):
    """A file of weights."""

    file: str
    """Its name in `checkpoints/`."""
    step: int | None
    """Of which step they are; None where its name does not tell."""


def kept(run: Run) -> list[Kept]:
    """The files of a run, `best.pt` first, by name; none where there is no such folder."""
    try:
        names = sorted(path.name for path in run.paths.checkpoints.iterdir())
    except OSError:
        return []
    names = [name for name in names if name.endswith(".pt") and not name.startswith(".")]
    if not names:
        return []
    epochs = dict(_epochs(run))
    steps = {number: step for step, number in epochs.items()}
    metrics = run.row.metrics
    named = _named(run, epochs) if any(not _ours(name) for name in names) else {}
    found = []
    for name in names:
        stem = name.removesuffix(".pt")
        if stem == "best":
            known = metrics.get(str(run.row.params.get("validate.monitor", "")))
            step = known.best_step if known else None
        elif stem == "last":
            step = max(epochs, default=None)
        elif stem.startswith("best-"):
            known = metrics.get(stem.removeprefix("best-"))
            step = known.best_step if known else None
        elif numbered := re.fullmatch(r"epoch-(\d{5,})", stem):
            step = steps.get(float(numbered[1]))
        else:
            step = named.get(stem)
        found.append(Kept(name, step))
    return found


def holding(run: Run, step: int | None) -> list[str]:
    """Names of the files with the weights of a step; `last.pt`, which training writes anew, at the end."""
    names = [one.file for one in kept(run) if step is not None and one.step == step]
    return sorted(names, key=lambda name: name == "last.pt")


def _ours(name: str) -> bool:
    return name in ("best.pt", "last.pt") or name.startswith(("best-", "epoch-"))


def _epochs(run: Run) -> Iterator[tuple[int, float]]:
    """Step at which each epoch ended."""
    with suppress(OSError, ValueError, KeyError):
        found = run.series("epoch")
        yield from zip(found.steps.tolist(), found.values.tolist(), strict=True)


def _named(run: Run, epochs: dict[int, float]) -> dict[str, int]:
    """What the recipe's pattern calls the weights of each epoch that has all scores that it names."""
    from labtui.recipe import naming

    pattern = run.row.params.get("checkpoints.name")
    if not isinstance(pattern, str):
        return {}
    try:
        metrics = naming.metrics(pattern)
        series = {name: run.series(name) for name in metrics}
    except (OSError, ValueError, KeyError):
        return {}
    at = {name: dict(zip(s.steps.tolist(), s.values.tolist(), strict=True)) for name, s in series.items()}
    found = {}
    for step, epoch in epochs.items():
        if math.isfinite(epoch) and all(step in values for values in at.values()):
            scores = {name: values[step] for name, values in at.items()}
            with suppress(ValueError, KeyError, OverflowError):
                found[naming.filled(pattern, scores, int(epoch), step)] = step
    return found
