"""A cell's values put into a recipe: resolved table by table, so that 100,000 cells take seconds.

A recipe's tables are checked apart from each other, and of a product of lists few tables differ: each
is checked, completed and hashed once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Any

from pydantic import ValidationError

from labtui.errors import RecipeError
from labtui.files.plain import nearest
from labtui.recipe.core import SPECS, Recipe
from labtui.recipe.read import check, problems

WITHOUT = frozenset(
    ("format", "name", "description", "tags", "goals", "resources", "checkpoints", "sweep", "origin")
)
"""Tables that do not change what a training gives: how it is called, where it runs, what is kept of it."""

_ENCODER = json.JSONEncoder(sort_keys=True, default=str)

Key = str


class Resolver:
    """Resolves cells of one recipe.

    Args:
        recipe: with the sweep or without.
        source: names the recipe in messages.
    """

    def __init__(self, recipe: Recipe, source: str) -> None:
        self.recipe, self.source = recipe, source
        self.given = {k: v for k, v in given(recipe).items() if k not in ("sweep", "origin")}
        self.tables = {k: v for k, v in recipe.tables().items() if k not in ("sweep", "origin")}
        self._fields = {field.alias or name: name for name, field in Recipe.model_fields.items()}
        self._digests = {
            name: _digest(name, self._told(recipe, name)) for name in self.tables if name not in WITHOUT
        }
        self._known: dict[tuple[str, str], str] = {}

    def key(self, values: Mapping[str, Any], salt: str = "") -> Key:
        """What tells the recipe with these values from others: 24 hexadecimal digits.

        Args:
            values: recipe key to value.
            salt: tells apart what the recipe does not.

        Raises:
            RecipeError: a value is none that the recipe can have.
        """
        parts = self._digests.copy()
        for name, changes in _by_table(values).items():
            parts[name] = self._table(name, changes)
        text = "\n".join([*sorted(filter(None, parts.values())), salt])
        return blake2b(text.encode(), digest_size=12).hexdigest()

    def tables_of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The resolved tables with these values.

        Raises:
            RecipeError: a value is none that the recipe can have.
        """
        parts = _by_table(values)
        return self.tables | {name: self._completed(name, changes) for name, changes in parts.items()}

    def resolved(self, values: Mapping[str, Any], origin: Mapping[str, Any], where: str = "") -> Recipe:
        """The whole recipe with these values.

        Raises:
            RecipeError: it is none.
        """
        tables = dict(self.given)
        for name, changes in _by_table(values).items():
            tables[name] = self._changed(name, changes)
        return check(tables | {"origin": dict(origin)}, where or self.source)

    def _table(self, name: str, changes: Mapping[str, Any]) -> str:
        """What stands for a table with its changes in a key, after checking it."""
        told = repr(changes)
        if (found := self._known.get((name, told))) is None:
            table = self._told(self._with(name, changes), name)
            # What cells differ in on purpose tells them apart, whatever it is.
            found = f"{name} {told}" if name in WITHOUT else _digest(name, table)
            self._known[name, told] = found
        return found

    def _told(self, recipe: Recipe, name: str) -> Any:
        """What of a table makes the key: an option that a later version adds, with a default, changes none."""
        return recipe.table(self._fields[name], defaults=False)

    def _completed(self, name: str, changes: Mapping[str, Any]) -> Any:
        return self._with(name, changes).table(self._fields[name])

    def _with(self, name: str, changes: Mapping[str, Any]) -> Recipe:
        """The recipe with changes in one table.

        Raises:
            RecipeError: that is not possible.
        """
        if name in ("format", "sweep", "origin"):
            raise RecipeError(f"{self.source}: sweep: {name} is nothing that cells can differ in")
        if name not in self._fields:
            check(self.given | {name: changes}, f"{self.source}: sweep")  # which says what is near
        if name == "params" and "" not in changes:  # anything goes there
            return self.recipe.model_copy(update={name: self._changed(name, changes)})
        copy, field = self.recipe.model_copy(), self._fields[name]
        try:
            Recipe.__pydantic_validator__.validate_assignment(copy, field, self._changed(name, changes))
        except ValidationError as error:
            raise RecipeError(problems(error, f"{self.source}: sweep")) from None
        return copy

    def _changed(self, name: str, changes: Mapping[str, Any]) -> Any:
        """A table as it is given, with the changes in it."""
        if "" in changes:
            return changes[""]
        table = self.given.get(name, {})
        if not isinstance(table, dict):
            raise RecipeError(f"{self.source}: sweep: {name} is no table")
        if name == "params":
            self._check_params(changes)
        table = _of_kind(name, table, changes) if name in SPECS else dict(table)
        for key, value in changes.items():
            _put(table, key, value, f"{self.source}: sweep: {name}.{key}")
        return table

    def _check_params(self, changes: Mapping[str, Any]) -> None:
        for key in changes:
            if key.partition(".")[0] not in self.given.get("params", {}):
                known = self.given.get("params", {})
                raise RecipeError(
                    f"{self.source}: sweep: params.{key}: the recipe's [params] have no such key"
                    f"{nearest(key, known)}; give it a value there first"
                )


def given(recipe: Recipe) -> dict[str, Any]:
    """A recipe's tables as they were written, without defaults."""
    found: dict[str, Any] = recipe.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
    return found


def _digest(name: str, table: Any) -> str:
    if table in (None, "", [], {}):
        return ""
    text = _ENCODER.encode(table)
    return f"{name} {blake2b(text.encode(), digest_size=12).hexdigest()}"


def _by_table(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values by the table that they are in; a whole table, or a key outside of all, as ""."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        table, below = _split(key)
        if table in found:
            found[table][below] = value
        else:
            found[table] = {below: value}
    return found


@cache
def _split(key: str) -> tuple[str, str]:
    table, _, below = key.partition(".")
    return table, below


def _of_kind(name: str, table: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The given table; of another kind than the cell's, what that kind has too."""
    kind = changes.get("name", table.get("name"))
    if kind == table.get("name") or "factory" in changes:
        return {} if "factory" in changes else dict(table)
    known = next((set(s.model_fields) for s in SPECS[name] if s.model_fields["name"].default == kind), set())
    return {key: value for key, value in table.items() if key in known}


def _put(table: dict[str, Any], key: str, value: Any, where: str) -> None:
    *path, last = key.split(".")
    for part in path:
        below = table.get(part, {})
        if not isinstance(below, dict):
            raise RecipeError(f"{where}: {part} is no table")
        table[part] = table = dict(below)  # the recipe's own stays as it is
    table[last] = value
