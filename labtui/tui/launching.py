"""What the launch screen asks of the disk, in workers: is the recipe right, and what would a launch mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labtui.cells import clean
from labtui.errors import LabtuiError, RecipeError
from labtui.files.paths import LabPaths
from labtui.forecast import Earlier, Forecast, forecast
from labtui.launcher import plan_of
from labtui.recipe.core import Recipe
from labtui.recipe.options import Option, options
from labtui.recipe.read import Problem, located, parse
from labtui.rows import Row
from labtui.table import duration
from labtui.tui.want import Eyes, Want

HOLD = Option(
    "hold", "false", "false", "true or false", {"true": "", "false": ""},
    "Queue the runs without starting them, until they are released (the queue's screen, or `labtui queue release`).",
)  # fmt: skip


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
        return [f"{key}={value}" for key, value in self.changes.items() if key != HOLD.key]

    @property
    def held(self) -> bool:
        """Whether nothing starts before it is released."""
        return self.changes.get(HOLD.key) == "true"


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
        return Earlier.of(eyes.lab.index.rows, self.recipes)


def check(lab: LabPaths, draft: Draft, earlier: Earlier) -> Checked:
    """Problems of a draft, or its options and the forecast."""
    try:
        plan = plan_of(lab, draft.path, draft.overrides, draft.text)
        return Checked(_options(plan.recipe), (), forecast(lab, plan, earlier))
    except RecipeError as error:
        return Checked((), tuple(located(error, str(draft.path))))
    except (LabtuiError, OSError) as error:
        return Checked((), tuple(Problem(0, line) for line in str(error).splitlines()))


def _options(recipe: Recipe) -> tuple[Option, ...]:
    """Those of the recipe, with what only a launch knows behind the first ones."""
    found = options(recipe)
    first = sum(option.key.startswith(("sweep.repeats", "resources.")) for option in found[:4])
    return (*found[:first], HOLD, *found[first:])


def wrong(draft: Draft, text: str, key: str) -> Callable[[str], str]:
    """What says what is wrong with a new value of an option; empty: nothing, or what has been wrong before.

    Args:
        text: the recipe's.
    """

    def problems(changes: Mapping[str, str]) -> list[str]:
        try:
            parse(text, str(draft.path), Draft(draft.path, text, changes).overrides)
        except RecipeError as error:
            return [problem.text for problem in located(error, str(draft.path))]
        return []

    before = problems(draft.changes)

    def said(value: str) -> str:
        new = [one for one in problems({**draft.changes, key: value}) if one not in before]
        return new[0].removeprefix(f"--set {key}: ") if new else ""

    return said


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
