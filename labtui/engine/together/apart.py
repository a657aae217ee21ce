"""Why trainings cannot be done together: what their recipes say of it."""

from __future__ import annotations

from collections.abc import Sequence

from labtui.engine.losses import LOSSES
from labtui.errors import LabtuiError
from labtui.recipe import stack
from labtui.recipe.core import Recipe


class Apart(LabtuiError):
    """These trainings cannot be done together; the message is a clause that says why."""


def why_not(recipes: Sequence[Recipe]) -> str | None:
    """Why these cannot be trained together, in a sentence's clause; None: their recipes say nothing
    against it."""
    return next(filter(None, map(unfit, recipes)), None) or unlike(recipes)


def unfit(recipe: Recipe) -> str | None:
    """Why a recipe's training cannot be done together with others."""
    if why := stack.unfit(recipe.tables()):
        return why
    loss = recipe.loss.name  # type: ignore[attr-defined]
    return None if loss in LOSSES else f"loss {loss!r} is more than a comparison of outputs with targets"


def unlike(recipes: Sequence[Recipe]) -> str | None:
    """In what recipes differ besides numbers."""
    first, *others = (stack.fixed(recipe.tables()) for recipe in recipes)
    for other in others:
        for key in dict.fromkeys((*first, *other)):
            if first.get(key) != other.get(key):
                return f"they differ in {key}"
    return None
