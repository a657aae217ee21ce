"""Values of other libraries as plain ones, and words that were meant."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any


def array(value: Any) -> Any:
    """An array; of a tensor on any device, with a gradient or without, its values."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def listed(value: Any) -> Any:
    """Arrays and tensors as lists, at any depth."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(k): listed(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [listed(v) for v in value]
    return value


def tomlable(value: Any) -> Any:
    """Parameters as TOML has them: numpy scalars as numbers, paths as text, None left out."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(k): tomlable(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [tomlable(v) for v in value]
    return value


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the nearest spelling, or all that is known."""
    import difflib

    known = sorted(known)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known here: {', '.join(known)}" if known else ""
