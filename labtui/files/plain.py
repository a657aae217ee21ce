"""Arrays and tensors as plain values, whichever library they come from."""

from __future__ import annotations

from collections.abc import Mapping
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
