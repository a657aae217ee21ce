"""Size and cost: parameters, what they weigh, how long training took, by which split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labtui.query.families import model_of
from labtui.query.spread import counted
from labtui.report.blocks import Block, Heading, Table
from labtui.report.document import mapping
from labtui.report.splits import caveat, honest
from labtui.report.sweep.document import Document
from labtui.table import duration

_FLOAT = 4
"""Bytes of a parameter in single precision."""


def section(doc: Document) -> Iterator[Block]:
    """What a notebook says at its end: parameters, megabytes, hours, hardware, split."""
    yield Heading(2, "Model, time and split")
    facts = [(what, value) for what, value in _facts(doc) if value is not None]
    yield Table(("what", "value"), facts) if facts else "*Not recorded: no run has come so far.*"
    yield from dict.fromkeys(filter(None, map(_split, doc.rows)))


def _facts(doc: Document) -> Iterator[tuple[str, Any]]:
    rows = [row for row in doc.rows if counted(row)]
    names = dict.fromkeys(model_of(row) for row in doc.rows)
    yield "model", ", ".join(filter(None, names)) or None
    counts = sorted({n for row in rows if isinstance(n := row["facts"].get("parameters"), int)})
    trained = sorted({n for row in rows if isinstance(n := row["facts"].get("trainable"), int)})
    yield "parameters", _span([f"{n:,}" for n in counts])
    if trained and trained != counts:
        yield "of them trained", _span([f"{n:,}" for n in trained])
    yield "size in single precision", _span([_megabytes(_FLOAT * n) for n in counts])
    files = sorted(filter(None, (_checkpoint(doc, row) for row in rows)))
    yield "checkpoint of the best epoch", _span([_megabytes(n) for n in files])
    times = sorted(float(row["duration"]) for row in rows if row["duration"] is not None)
    yield "time to train one", _span([duration(seconds) for seconds in times])
    yield f"time of all {len(times)} together", duration(sum(times)) if times else None
    devices = dict.fromkeys(str(row["facts"].get("device") or "") for row in rows)
    yield "trained on", ", ".join(filter(None, devices)) or None
    yield "validation", ", ".join(dict.fromkeys(filter(None, map(_scheme, doc.rows)))) or None


def _span(texts: list[str]) -> str | None:
    """The smallest and the largest of sorted figures in words."""
    if not texts:
        return None
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]} to {texts[-1]}"


def _megabytes(count: float) -> str:
    return f"{count / 1e6:.2f} MB"


def _checkpoint(doc: Document, row: Mapping[str, Any]) -> int | None:
    """Bytes of a run's best checkpoint; None where it is gone."""
    try:
        return (doc.lab.paths.run(row["id"]).checkpoints / "best.pt").stat().st_size
    except OSError:
        return None


_SCHEMES = {
    "holdout": "held out: {val} for validation, {test} for test",
    "kfold": "{folds} folds",
    "group": "{folds} folds of whole groups, so that none is on both sides",
    "file": "the split that comes with the data",
}


def _scheme(row: Mapping[str, Any]) -> str:
    """How runs were validated."""
    table = {key: row["params"].get(f"validate.{key}") for key in ("scheme", "folds", "val", "test")}
    words = _SCHEMES.get(str(table["scheme"]), "").format(**table)
    names = {"random": "drawn at random", "time": "blocks of time", "recording": "whole recordings", "bearing": "whole bearings"}  # fmt: skip
    how = names.get(str(row["params"].get("data.split")), "")
    tested = ", the next one for test" if words and row["params"].get("validate.test_fold") is True else ""
    return words + tested + (f" ({how})" if words and how else "")


def _split(row: Mapping[str, Any]) -> str:
    """What the split is worth, where labtui knows, as markdown."""
    options = mapping(row["params"])
    return f"**Optimistic split:** {rule}" if (rule := caveat(options)) else honest(options)
