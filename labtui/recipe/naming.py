"""File names of checkpoints after a pattern such as `model-{epoch:05d}-{val_loss:.5f}`, as in Keras.

A field is `epoch`, `step` or a metric: `loss` and `acc` of the training split, `val_loss` and `val_acc` of
the validation split; Keras' longer names of the accuracy are known, too. What stands after the colon is
Python's format of a number, without a type that numbers do not have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter

from labtui.files.goals import GOALS, goal_of

COUNTS = ("epoch", "step")
KERAS = {"categorical_accuracy": "acc", "accuracy": "acc"}
_FORMAT = re.compile(r"[+-]?0?[0-9]{0,2}(d|(\.[0-9]{1,2})?[efg])?")
_OWN = ("best", "last", "epoch-", ".")
"""Beginnings of names that other checkpoints and unfinished files have."""
LONGEST = 200
"""Bytes of a name; file systems have room for 255, and unfinished files have longer names."""


def fields(pattern: str) -> list[str]:
    """The fields of a pattern.

    Raises:
        ValueError: it is no pattern of a file name; the message says why.
    """
    if pattern.startswith(_OWN) or re.search(r"[/\\\x00-\x1f]", pattern):
        raise ValueError(f"expected a file name without / that begins with none of {', '.join(_OWN)}")
    found = []
    for _, field, form, conversion in Formatter().parse(pattern):
        if field is None:
            continue
        if field not in COUNTS and not (field.isidentifier() and goal_of(metric(field))):
            known = ", ".join(dict.fromkeys([*COUNTS, *KERAS, *GOALS]))
            raise ValueError(
                f"unknown field {field!r:.80}; known are {known}, and metrics with val_ before them"
            )
        form, counts = form or "", field in COUNTS
        if conversion or not _FORMAT.fullmatch(form) or (form.endswith("d") and not counts):
            raise ValueError(
                f"{{{field}:{form}}}: expected the format of a number, as in {{epoch:05d}} and {{loss:.5f}}"
            )
        found.append(field)
    if not found:
        raise ValueError("expected a field, such as {epoch:05d}, or each file would replace the one before")
    longest = filled(pattern, dict.fromkeys(map(metric, found), -0.1), 10**9, 10**9)
    if len(longest.encode()) >= LONGEST:
        raise ValueError(f"gives names of {LONGEST} bytes or more")
    return found


def metric(field: str) -> str:
    """The metric that a field means: `val_categorical_accuracy` is `val.acc`."""
    split, name = ("val", field[4:]) if field.startswith("val_") else ("train", field)
    return f"{split}.{KERAS.get(name, name)}"


def metrics(pattern: str | None) -> list[str]:
    """The metrics that the names of a sound pattern tell; none without a pattern."""
    return [metric(field) for field in fields(pattern) if field not in COUNTS] if pattern else []


def filled(pattern: str, scores: Mapping[str, float], epoch: int, step: int) -> str:
    """The name for an epoch, which counts from 1, and its scores; cut off where a loss is astronomical."""
    told = [field for _, field, _, _ in Formatter().parse(pattern) if field and field not in COUNTS]
    values = {field: scores[metric(field)] for field in told}
    return pattern.format(epoch=epoch, step=step, **values)[:LONGEST]


def glob(pattern: str) -> str:
    """What matches all names that a sound pattern can give, and no other checkpoint's: for `fnmatch`."""
    parts = [(re.sub(r"([*?[])", r"[\1]", text), field) for text, field, _, _ in Formatter().parse(pattern)]
    # a number begins with a digit or sign, or is nan or inf
    return "".join(text + ("[-+0-9ni]*" if field else "") for text, field in parts) + ".pt"
