"""`{key}` in a recipe's `command`: plain look-ups in the recipe's tables. Standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from labtui.errors import RecipeError
from labtui.files.toml import flatten

PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w-]*(?:\.[\w-]+)*)\}")
"""Braces around a dotted key. Any other brace is an ordinary character."""


def fill(command: list[str], tables: Mapping[str, Any]) -> list[str]:
    """The command with each placeholder replaced by its value; a word stays one argument.

    Strings are put in as they are, everything else as TOML and JSON write it (`0.001`, `true`,
    `[1, 2]`).

    Raises:
        RecipeError: a key that the recipe does not have, or that names a table.
    """
    values = flatten(tables)

    def value(match: re.Match[str]) -> str:
        key = match[1]
        if key not in values:
            near = get_close_matches(key, values, 1)
            raise RecipeError(
                f"command: {match[0]}: the recipe has no value {key!r}"
                + (f"; nearest: {near[0]}" if near else "")
            )
        found = values[key]
        if isinstance(found, str):
            return found
        return json.dumps(found, ensure_ascii=False, default=str)

    return [PLACEHOLDER.sub(value, word) for word in command]
