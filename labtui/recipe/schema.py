"""The JSON Schema of recipes, so that editors complete and check them."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from labtui.recipe.core import Recipe
from labtui.recipe.spec import Spec


@cache
def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a recipe file, with every key's description.

    Descriptions are the strings below the fields. They are looked for here, not by pydantic when the
    specs are defined: reading the source would be a third of the time in which they are imported.
    """
    found = Recipe.model_json_schema(by_alias=True)
    for spec in _specs(Spec):
        # Of several specs of one name, pydantic's names say the module too.
        names = (spec.__name__, f"{spec.__module__}.{spec.__name__}".replace(".", "__"))
        tables = [found] if spec is Recipe else [found["$defs"][n] for n in names if n in found["$defs"]]
        if not tables:
            continue
        for name, text in documented(spec).items():
            field = spec.model_fields[name]
            tables[0]["properties"][field.alias or name].setdefault("description", text)
    return found


def _specs(base: type[Spec]) -> Iterator[type[Spec]]:
    for spec in base.__subclasses__():
        yield spec
        yield from _specs(spec)


def documented(spec: type[Spec]) -> dict[str, str]:
    """Field to its description; a spec's own before its base's."""
    found: dict[str, str] = {}
    for base in spec.__mro__:
        if issubclass(base, Spec):
            texts = _texts(base.__module__).get(base.__qualname__, {})
            found = {name: text for name, text in texts.items() if name in spec.model_fields} | found
    return found


@cache
def _texts(module: str) -> dict[str, dict[str, str]]:
    """Class to field to the string below it, of a module's source."""
    found: dict[str, dict[str, str]] = {}
    for node in _parsed(inspect.getsource(sys.modules[module])).body:
        if isinstance(node, ast.ClassDef):
            texts = found[node.name] = {}
            for field, below in zip(node.body, node.body[1:], strict=False):
                if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                    continue
                if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                    texts[field.target.id] = inspect.cleandoc(str(below.value.value))
    return found


def _parsed(source: str) -> ast.Module:
    """The syntax tree. CPython 3.11 counts the depth of all threads' trees in one place (gh-106905): a key
    whose action Textual parses meanwhile makes a long one fail."""
    for _ in range(9):
        with suppress(SystemError):
            return ast.parse(source)
    return ast.parse(source)
