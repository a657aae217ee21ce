"""The JSON Schema of recipes, so that editors complete and check them."""

from __future__ import annotations

from functools import cache
from typing import Any

from labtui.recipe.core import Recipe


@cache
def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a recipe file, with every key's description."""
    return Recipe.model_json_schema(by_alias=True)
