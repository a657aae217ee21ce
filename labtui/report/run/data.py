"""The data table: where it came from, what the model sees, how it was split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import mapping
from labtui.report.run.document import Document, of_form
from labtui.report.splits import caveat, honest
from labtui.report.text import exact, prose
from labtui.table import number

MOST_CLASSES = 60
"""Classes that are listed one by one."""

SCHEMES = {
    "holdout": "held out: {val:g} for validation, {test:g} for test, seed {seed}",
    "kfold": "fold {fold} of {folds} (counted from 0), seed {seed}",
    "group": "fold {fold} of {folds} (counted from 0) of whole groups, seed {seed}",
    "file": "the split that comes with the data",
}


def section(doc: Document) -> Iterator[Block]:
    """Facts, then sizes and classes of each split."""
    name = doc.options.get("data.name") or doc.options.get("data.factory") or ""
    yield Heading(2, "Data", str(name))
    data = doc.artifact("data")
    with of_form("data"):
        facts = Table(("param", "value"), [(k, _plain(v)) for k, v in _facts(doc, data)])
        splits = {str(name): mapping(part) for name, part in data["splits"].items()}
        splits = {name: part for name, part in splits.items() if part["samples"]}
        sizes = _sizes(splits)
        balance = list(_classes(data, splits))
    yield facts
    if rule := caveat(doc.options):
        yield f"**Optimistic split:** {rule}"
    elif kept := honest(doc.options):
        yield kept
    yield sizes
    yield from balance


def _plain(value: Any) -> str:
    return number(value) if isinstance(value, float) else exact(value)


def _facts(doc: Document, data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    facts = mapping(data["facts"])
    labels = facts.pop("label set", None)
    if path := doc.options.get("data.path"):
        yield "path", path
    yield from facts.items()
    yield "samples", data["samples"]
    stored, seen = list(data["stored_shape"]), list(data["shape"])
    if stored != seen:
        yield "shape of a sample as stored", stored
    yield "shape of a sample as the model sees it", seen
    words = {"classes": "one class a sample", "multilabel": "multilabel (several a sample)"}
    kind = words.get(data["task"], data["task"])
    yield "label type", f"{kind}; {exact(labels)}" if labels else kind
    label = {"classes": "classes", "multilabel": "labels"}.get(data["task"], "targets")
    names = [str(name) for name in data["classes"]]
    yield label, f"{len(names)}: {', '.join(names)}" if len(names) <= MOST_CLASSES else len(names)
    rule = {"fold": 0} | mapping(data["validate"])
    yield "validation", SCHEMES[rule["scheme"]].format(**rule)


def _sizes(splits: dict[str, dict[str, Any]]) -> Table:
    total = sum(part["samples"] for part in splits.values())
    rows = [(name, part["samples"], round(100 * part["samples"] / total, 1)) for name, part in splits.items()]
    return Table(("split", "samples", "share (%)"), rows)


def _classes(data: dict[str, Any], splits: dict[str, dict[str, Any]]) -> Iterator[Block]:
    """Samples of each class in each split, and how far from balanced they are."""
    names = [str(name) for name in data["classes"]]
    counts = {name: part["per_class"] for name, part in splits.items() if part["per_class"]}
    if not counts:
        return
    in_all = [sum(column) for column in zip(*counts.values(), strict=True)]
    low, high = min(in_all), max(in_all)
    rare, common = names[in_all.index(low)], names[in_all.index(high)]
    if len(names) <= MOST_CLASSES:
        label = "class" if data["task"] == "classes" else "label"
        columns = zip(names, *counts.values(), strict=True)
        yield Table((label, *counts), [tuple(column) for column in columns])
    if missing := [name for name, n in zip(names, counts.get("train", ()), strict=False) if not n]:
        yield f"**Without a sample to train on:** {', '.join(map(prose, missing[:MOST_CLASSES]))}."
    if high == low:
        yield f"Balanced: {low} samples of each."
        return
    ratio = f", {number(high / low, 2)} times as many" if low else ""
    yield f"Rarest: {prose(rare)} ({low} samples); commonest: {prose(common)} ({high}{ratio})."
