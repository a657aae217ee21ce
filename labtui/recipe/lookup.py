"""What may stand in a recipe, looked up in its JSON Schema: the keys of a table, the values of a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labtui.recipe.core import FACTORY, SPECS
from labtui.recipe.schema import schema

Node = dict[str, Any]
"""A part of the schema."""
DEFAULT_KINDS = {"optimizer": "adam", "schedule": "constant", "loss": "cross_entropy"}
"""Of the tables that have kinds, which one it is if nobody says."""


def kinds_of(tables: Mapping[str, Any]) -> dict[str, str]:
    """Which kind each table is that has kinds: its `name`, or "factory"; unknown ones are left out."""
    found = dict(DEFAULT_KINDS)
    for name in SPECS:
        table = tables.get(name)
        if isinstance(table, Mapping):
            kind = FACTORY if FACTORY in table else table.get("name", found.get(name))
            found[name] = str(kind)
    return found


def leaves(node: Node) -> list[Node]:
    """The alternatives that a node stands for."""
    if "$ref" in node:
        return leaves(schema()["$defs"][node["$ref"].rpartition("/")[2]])
    below = node.get("oneOf") or node.get("anyOf")
    return [leaf for option in below for leaf in leaves(option)] if below else [node]


def kind_of(option: Node) -> str:
    """The kind of a table that is one of several: its `name`, or "factory"."""
    properties = option.get("properties", {})
    return FACTORY if FACTORY in properties else str(properties.get("name", {}).get("const", ""))


def tables_at(path: Sequence[str], kinds: Mapping[str, str]) -> list[Node]:
    """What a table of the recipe may be; nothing where there is no such table.

    Args:
        path: its keys, from the recipe's top.
        kinds: as `kinds_of` finds them; of a kind that is not known all are possible.
    """
    options: list[Node] = [schema()]
    for depth, part in enumerate(path):
        below = [option["properties"][part] for option in options if part in option.get("properties", {})]
        options = [leaf for node in below for leaf in leaves(node) if leaf.get("type") == "object"]
        if depth == 0 and part in SPECS and kinds.get(part) in {kind_of(option) for option in options}:
            options = [option for option in options if kind_of(option) == kinds[part]]
    return options


def keys_at(path: Sequence[str], kinds: Mapping[str, str]) -> dict[str, Node]:
    """The keys that a table takes, each with what it may be."""
    found: dict[str, Node] = {}
    for option in tables_at(path, kinds):
        for key, node in option.get("properties", {}).items():
            if key == "name" and len(path) == 1 and path[0] in SPECS:
                node = {**node, "enum": list(names_of(path[0]))}
            found.setdefault(key, node)
    named = {key: found[key] for key in ("name", FACTORY) if key in found and path}  # which kind comes first
    return named | found


def names_of(table: str) -> dict[str, str]:
    """The kinds of a table that has kinds, but the user's own, each with what it is."""
    found = {kind_of(option): option for option in tables_at((table,), {})}
    return {
        name: " ".join(str(option.get("description", "")).split())
        for name, option in found.items()
        if name not in ("", FACTORY)
    }


def values_of(node: Node) -> list[Any]:
    """The values that a key takes where they can be counted; empty otherwise."""
    if "enum" in node:
        return list(node["enum"])
    found: list[Any] = []
    for leaf in leaves(node):
        if leaf.get("type") == "boolean":
            found += [True, False]
        elif "enum" in leaf:
            found += leaf["enum"]
        elif "const" in leaf:
            found.append(leaf["const"])
        elif leaf.get("type") != "null":
            return []
    return found


def expected(node: Node) -> str:
    """What a key takes, in a few words: "whole number from 1"."""
    if "enum" in node:
        return _choice(node["enum"])
    words = [word for leaf in leaves(node) if (word := _words(leaf))]
    return " or ".join(dict.fromkeys(words)) or "anything"


_TYPES = {
    "integer": "whole number", "number": "number", "string": "text", "boolean": "true or false",
    "array": "list", "object": "table",
}  # fmt: skip


def _choice(values: Sequence[Any]) -> str:
    told = ", ".join(map(str, values))
    return told if len(told) < 50 else f"one of {len(values)} names"


def _words(leaf: Node) -> str:
    if "enum" in leaf or "const" in leaf:
        return _choice(leaf.get("enum") or [leaf["const"]])
    word = _TYPES.get(str(leaf.get("type")), "")
    parts = [
        (" from {:g}", "minimum"), (" above {:g}", "exclusiveMinimum"),
        (" to {:g}", "maximum"), (" below {:g}", "exclusiveMaximum"),
    ]  # fmt: skip
    return word + "".join(
        text.format(leaf[key]) for text, key in parts if key in leaf and abs(leaf[key]) < 1e9
    )


def is_table(node: Node) -> bool:
    """Whether a key holds a table of known keys."""
    return any("properties" in leaf for leaf in leaves(node))


def dotted(kinds: Mapping[str, str], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Node]]:
    """All keys of the recipe that hold no table of known keys, dotted, in its order."""
    for key, node in keys_at(path, kinds).items():
        if is_table(node):
            yield from dotted(kinds, (*path, key))
        else:
            yield ".".join((*path, key)), node
