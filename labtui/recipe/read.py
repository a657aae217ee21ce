"""Recipes from files: TOML in, a checked `Recipe` out, every problem named at its line."""

from __future__ import annotations

import copy
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from labtui.errors import RecipeError
from labtui.files.plain import nearest
from labtui.recipe.core import FACTORY, SPECS, Recipe
from labtui.recipe.locate import line_of, lines_of_keys
from labtui.recipe.placeholders import fill

KINDS = tuple(SPECS)
"""Tables whose `name` (or `factory`) says which keys they take."""

LIMIT = 1_000_000
"""Largest recipe file in bytes: a recipe is written by hand."""


def load(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe file.

    Args:
        overrides: `key=value` with dotted keys, as `--set` takes them; `key=` removes the key.

    Raises:
        RecipeError: with one line for each problem, as `file:line: key: what was expected`.
    """
    return parse(read_text(path), str(path), overrides)


def parse(text: str, source: str, overrides: Sequence[str] = ()) -> Recipe:
    """Check the text of a recipe; as `load`.

    Args:
        source: what problems call it.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{source}:{_toml_line(error, text)}: not TOML: {error}") from None
    except RecursionError:
        raise RecipeError(f"{source}: not TOML that can be read: nested too deeply") from None
    lines = lines_of_keys(text)
    for override in overrides:
        apply(tables, override)
    return check(tables, source, lines, overrides)


_AT = re.compile(r" \(at line \d+, column \d+\)$")


class Problem(NamedTuple):
    """One thing that is wrong with a recipe."""

    line: int
    """Of its text, from 1; 0: of none."""
    text: str


def located(error: RecipeError, source: str) -> list[Problem]:
    """The problems that an error names, each with its line in `source`."""
    found: list[Problem] = []
    for said in str(error).splitlines():
        place, _, rest = said.removeprefix(f"{source}:").partition(": ")
        if said.startswith(f"{source}:") and place.isdecimal():
            found.append(Problem(int(place), _AT.sub("", rest)))
        else:
            found.append(Problem(0, said.removeprefix(f"{source}: ")))
    return found


def check(
    tables: Mapping[str, Any],
    source: str,
    lines: dict[tuple[str, ...], int] | None = None,
    overrides: Sequence[str] = (),
) -> Recipe:
    """Check tables that came from `source`.

    Raises:
        RecipeError: with one line for each problem.
    """
    try:
        recipe = Recipe.model_validate(tables)
    except ValidationError as error:
        if texts := _texts(error, overrides):
            # `--set name=2024`: a number to TOML, but the field is a text.
            mended = copy.deepcopy(dict(tables))
            for *path, last, value in texts:
                reduce(getitem, path, mended)[last] = value
            return check(mended, source, lines, overrides)
        changed = {tuple(o.partition("=")[0].split(".")) for o in overrides}
        raise RecipeError(problems(error, source, lines, changed)) from None
    if recipe.command is not None:
        try:
            fill(recipe.command, recipe.tables())
        except RecipeError as error:
            raise RecipeError(f"{source}:{line_of(lines or {}, ('command',))}: {error}") from None
    return recipe


def problems(
    error: ValidationError,
    source: str,
    lines: dict[tuple[str, ...], int] | None = None,
    changed: Iterable[tuple[str, ...]] = (),
) -> str:
    """What is wrong with a recipe, a line for each problem.

    Args:
        lines: line number of each key in the source.
        changed: keys that `--set` changed.
    """
    found = [_problem(problem, source, lines, changed) for problem in error.errors()]
    return "\n".join(dict.fromkeys(found))


def read_text(path: Path) -> str:
    """The text of a recipe file.

    Raises:
        RecipeError: no such file, a folder, too large, no rights, or not UTF-8.
    """
    try:
        if path.is_dir():
            raise RecipeError(f"{path}: is a folder; give a recipe file (`labtui recipes` lists them)")
        if path.exists() and not path.is_file():
            raise RecipeError(f"{path}: is no ordinary file; give a recipe file")
        if path.stat().st_size > LIMIT:
            size = path.stat().st_size / 1e6
            raise RecipeError(f"{path}: {size:.1f} MB is no recipe (at most {LIMIT / 1e6:.0f} MB)")
        data = path.read_bytes()
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such file{_near_file(path)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RecipeError(f"{path}: cannot be read ({reason})") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise RecipeError(f"{path}:{line}: not UTF-8 text (byte 0x{data[error.start]:02x})") from None
    return text.replace("\r\n", "\n")


def apply(tables: dict[str, Any], override: str) -> None:
    """Set one `key=value` in a recipe's tables; the value as TOML, or else as plain text.

    Raises:
        RecipeError: no `=`, an empty key, or a key below something that is no table.
    """
    key, equals, value = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        raise RecipeError(f"--set {override}: expected key=value, such as --set train.epochs=3")
    table = tables
    for place, part in enumerate(parts[:-1]):
        below = table.setdefault(part, {})
        if not isinstance(below, dict):
            raise RecipeError(f"--set {override}: {'.'.join(parts[: place + 1])} is no table")
        table = below
    if value.strip():
        _choose_kind(table, parts, value)
        table[parts[-1]] = parse_value(value)
    else:
        table.pop(parts[-1], None)


def _choose_kind(table: dict[str, Any], parts: Sequence[str], value: str) -> None:
    """A new `name` or `factory` of a part replaces the other one of the two."""
    other = {"name": FACTORY, FACTORY: "name"}.get(parts[-1])
    if len(parts) == 2 and other:
        table.pop(other, None)


def parse_value(text: str) -> Any:
    """The text of an override as a TOML value; what is no TOML is plain text."""
    try:
        value = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return value["value"] if len(value) == 1 else text


def _texts(error: ValidationError, overrides: Sequence[str]) -> list[tuple[str, ...]]:
    """Paths and plain texts of overrides that were read as something else where a text is wanted."""
    wanted = {_path(p["loc"]) for p in error.errors() if p["type"] == "string_type"}
    pairs = (override.partition("=") for override in overrides)
    found = [(*(part.strip() for part in key.split(".")), value) for key, _, value in pairs]
    return [one for one in found if one[:-1] in wanted]


def _problem(
    problem: Any,
    source: str,
    lines: dict[tuple[str, ...], int] | None,
    changed: Iterable[tuple[str, ...]],
) -> str:
    path = _path(problem["loc"])
    kind, context = problem["type"], problem.get("ctx", {})
    text = problem["msg"].replace("Input should be", "expected").replace("Value error, ", "")
    given = problem["input"]
    if kind == "extra_forbidden":
        text = f"unknown key{nearest(path[-1], _siblings(problem['loc']))}"
    elif kind == "missing":
        text = "is missing"
    elif kind == "union_tag_invalid":
        known = [name.strip(" '") for name in str(context["expected_tags"]).split(",")]
        path = (*path, "name")
        text = f"unknown name {context['tag']!r}{nearest(context['tag'], known)}"
    elif kind == "union_tag_not_found":
        text = 'expected a table with `name = "…"` or `factory = "module:callable"`'
    elif kind in ("model_type", "model_attributes_type"):
        text = f"expected a table, got {given!r:.80}"
    elif kind != "value_error":
        text = f"{text[0].lower()}{text[1:]}, got {given!r:.80}"
    key = ".".join(path)
    overridden = any(path[: len(c)] == c for c in changed)
    here = source if lines is None else f"{source}:{line_of(lines, path)}"
    where = f"--set {key}" if overridden else here
    return f"{where}: {text}" if overridden or not key else f"{where}: {key}: {text}"


def _path(location: tuple[Any, ...]) -> tuple[str, ...]:
    """The key's path in the file: pydantic also names the kind of a table, which is no key."""
    kind = 1 if location[:1] and location[0] in KINDS else 3 if location[:2] == ("sweep", "space") else None
    return tuple(str(part) for place, part in enumerate(location) if place != kind)


def _siblings(location: tuple[Any, ...]) -> list[str]:
    """The keys that are known where an unknown one stands."""
    from labtui.recipe.lookup import leaves
    from labtui.recipe.schema import schema

    options = [schema()]
    for place, part in enumerate(location[:-1]):
        if place == 1 and location[0] in KINDS:
            options = [o for o in options if part in (_const(o), FACTORY)]
        else:
            options = [o["properties"][part] for o in options if part in o.get("properties", {})]
        options = [leaf for option in options for leaf in leaves(option)]
    return [key for option in options for key in option.get("properties", {})]


def _const(option: dict[str, Any]) -> Any:
    return option.get("properties", {}).get("name", {}).get("const")


def _near_file(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.suffix == ".toml"]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / close[0]}?" if close else " (`labtui recipes` lists them)"


def _toml_line(error: tomllib.TOMLDecodeError, text: str) -> int:
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) if found else text.count("\n") + 1
