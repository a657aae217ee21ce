"""How many processes train one run, and on how many machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def layout(recipe: Mapping[str, Any]) -> tuple[int, int]:
    """Machines of a training, and its processes on each: one for each GPU, or `resources.processes`.

    Args:
        recipe: resolved tables, without a `command`: a program starts its processes itself.
    """
    resources = recipe.get("resources") or {}
    return resources.get("nodes") or 1, resources.get("gpus") or resources.get("processes") or 1
