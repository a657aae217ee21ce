"""What the launch screen asks in workers: is the recipe right, and what would a launch mean.

With it come pydantic and all specs of recipes, for which no key is to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from labtui.errors import LabtuiError, RecipeError
from labtui.files.paths import LabPaths
from labtui.forecast import Earlier, forecast
from labtui.launcher import plan_of
from labtui.recipe.core import Recipe
from labtui.recipe.options import Option, options
from labtui.recipe.read import Problem, located, parse
from labtui.tui.draft import HOLD, Checked, Draft

ON_HOLD = Option(
    HOLD, "false", "false", "true or false", {"true": "", "false": ""},
    "Queue the runs without starting them, until they are released (the queue's screen, or `labtui queue release`).",
)  # fmt: skip


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
    return (*found[:first], ON_HOLD, *found[first:])


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
