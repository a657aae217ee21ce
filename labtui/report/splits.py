"""What a split is worth: whether parts of one recording fall on both sides of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OPTIMISTIC = (
    "{} of one recording fall on both sides of the split, so that the figures on validation "
    'and test data are better than on new recordings. `data.split = "{}"` gives an honest figure.'
)
PARTS = {
    "bearings": ("windows", "time"),
    "fnirs": ("tasks", "recording"),
    "paderborn": ("windows", "bearing"),
}
"""Data set to what it takes from a recording, and the `data.split` that keeps it together."""

HONEST = {
    "time": "**Honest split:** blocks of time stay together, so that no stretch of signal is on both sides.",
    "recording": "**Honest split:** whole recordings stay together, none is on both sides.",
    "bearing": "**Honest split:** all recordings of a bearing stay together, none is on both sides.",
}
"""What keeps parts of a recording together, by `data.split`."""


def caveat(options: Mapping[str, Any]) -> str:
    """Why figures flatter the model; empty where labtui knows of no reason.

    Args:
        options: of a resolved recipe, by dotted keys.
    """
    parts = PARTS.get(str(options.get("data.name"))) if options.get("data.split") == "random" else None
    return OPTIMISTIC.format(*parts) if parts and options.get("validate.scheme") != "file" else ""


def honest(options: Mapping[str, Any]) -> str:
    """What keeps parts of a recording on one side, as markdown; empty where the data set takes none."""
    return HONEST.get(str(options.get("data.split")), "") if options.get("data.name") in PARTS else ""
