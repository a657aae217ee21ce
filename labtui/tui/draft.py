"""A launch as the user has it, and what is known of it: what the launch screen shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtui.cells import clean
from labtui.rows import Row
from labtui.table import duration
from labtui.tui.want import Eyes, Want

if TYPE_CHECKING:
    from labtui.forecast import Earlier, Forecast
    from labtui.recipe.options import Option
    from labtui.recipe.read import Problem

HOLD = "hold"
"""What is no option of the recipe, but of the launch."""


@dataclass(frozen=True)
class Draft:
    """A launch as the user has it at the moment.

    Args:
        path: the recipe's file.
        text: what is launched instead of what the file holds; None: the file.
        changes: option to its value, as `--set` takes it; an empty one removes the option.
    """

    path: Path
    text: str | None = None
    changes: Mapping[str, str] = field(default_factory=dict)

    @property
    def overrides(self) -> list[str]:
        """The changes as `--set` takes them."""
        return [f"{key}={value}" for key, value in self.changes.items() if key != HOLD]

    @property
    def held(self) -> bool:
        """Whether nothing starts before it is released."""
        return self.changes.get(HOLD) == "true"


@dataclass(frozen=True)
class Checked:
    """What a check has found.

    Args:
        options: of the recipe; empty where it is wrong.
        forecast: None where it is wrong.
    """

    options: tuple[Option, ...] = ()
    problems: tuple[Problem, ...] = ()
    forecast: Forecast | None = None


@dataclass(frozen=True)
class WantEarlier(Want):
    """What the lab's runs say of a recipe's next ones: found is an `Earlier`.

    Args:
        recipes: its file, as runs name it.
    """

    recipes: tuple[str, ...]

    def stamp(self, eyes: Eyes) -> object:
        """Any change of a run."""
        return eyes.changes

    def look(self, eyes: Eyes, before: Any) -> Earlier:
        """Count them."""
        from labtui.forecast import Earlier

        return Earlier.of(eyes.lab.index.rows, self.recipes)


def outlook(found: Forecast, earlier: Earlier | None) -> list[Row]:
    """What a launch would mean, in two lines.

    Args:
        earlier: None where it is not known yet how long it takes.
    """
    count = f"{found.trainings:,} run{'' if found.trainings == 1 else 's'}"
    if not found.trainings:
        count = "runs until the hours are spent"
    elif not found.exact:
        count = f"at most {count}"
    cells = f" in {found.cells:,} cells" if found.cells > 1 else ""
    first: Row = [("✓ ", "good"), (count, "bold"), (cells, "")]
    known = found.pace
    if earlier is None:
        first += [("  …", "dim")]
    elif known is None:
        first += [("  no earlier run of this recipe says how long it takes", "dim")]
    elif found.seconds is not None:
        runs = f"from {known.runs} earlier run{'' if known.runs == 1 else 's'}"
        epoch = f", {duration(known.epoch)} an epoch" if known.epoch else ""
        first += [("  about ", "dim"), (duration(found.seconds), "bold"), (f" ({runs}{epoch})", "dim")]
    second: Row = [("  ", "")]
    if not found.places and found.where.startswith("Slurm"):
        second += [(clean(found.where), "")]
    elif found.free:
        if found.trainings == 1:
            second += [(f"starts at once on {clean(found.where)}", "")]
        else:
            some = f"{found.free:,} start{'s' if found.free == 1 else ''} at once, the first on"
            second += [(f"{some} {clean(found.where)}; {found.places:,} fit side by side", "")]
    else:
        second += [(clean(found.where), "warn")]
    second += [(f"  {found.ahead:,} queued", "warn" if found.ahead else "dim")]
    if found.paused:
        second += [(clean(f"  the queue is paused: {found.paused}"), "warn")]
    return [first, second]
