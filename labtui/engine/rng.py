"""The random generators that a training and its user's parts draw from: torch's, Python's, numpy's.

A part that makes a generator of its own (`numpy.random.default_rng()`) seeds it itself, and a resume
does not bring it back.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def seed_all(seed: int) -> None:
    """Seed the global generators of torch (all devices), Python and numpy (which takes 32 bits)."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def rng_state(device: torch.device, generators: Mapping[str, torch.Generator]) -> dict[str, Any]:
    """States of the global generators and of those given, for `weights_only` loading."""
    states: dict[str, Any] = {name: generator.get_state() for name, generator in generators.items()}
    states["torch"] = torch.get_rng_state()
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    states["python"] = random.getstate()
    name, keys, *rest = np.random.get_state(legacy=True)
    states["numpy"] = (name, torch.from_numpy(np.asarray(keys, np.int64)), *rest)
    return states


def set_rng_state(
    states: Mapping[str, Any], device: torch.device, generators: Mapping[str, torch.Generator]
) -> None:
    """Set what `rng_state` gave."""
    for name, generator in generators.items():
        generator.set_state(states[name])
    torch.set_rng_state(states["torch"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    if "numpy" in states:  # not in a checkpoint of an early labtui
        random.setstate(states["python"])
        name, keys, *rest = states["numpy"]
        np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
