"""Runs that are really trained for the rules of a diagnosis: small, with a fault or without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_lab import make, recipe, train_here

from labtui.diagnose import Diagnosis, diagnose
from labtui.errors import LabtuiError
from labtui.query import Lab
from labtui.query.diagnosis import case
from labtui.recipe.core import Recipe

PARTS = """
import time
import torch
from torch import nn
from labtui.data import Dataset

def data(lab, kind="blobs", samples=900, noise=0.7, slow=0.0, scale=1.0):
    g = torch.Generator().manual_seed(0)
    y = torch.arange(samples) % 3
    if kind == "rare":
        y = torch.where(torch.rand(samples, generator=g) < 0.95, y % 2, torch.full_like(y, 2))
    x = torch.randn(samples, 8, generator=g) * noise
    if kind == "minor":
        y = torch.where(torch.rand(samples, generator=g) < 0.85, torch.zeros_like(y), y)
        x[torch.arange(samples), y] += 1.2
    if kind == "easy":  # what is validated on has hardly any noise
        x[samples // 2 :] *= 0.2
    if kind in ("blobs", "easy"):
        x[torch.arange(samples), y] += 2.5
    if kind == "rare":
        x[torch.arange(samples), y] += 1.5 * (y < 2)
    def wait(x, generator):
        time.sleep(slow * (generator is not None))
        return x
    more = {"transform": wait} if slow else {}
    x = x * scale
    if kind == "easy":
        half = torch.arange(samples // 2)
        more["split"] = {"train": half, "val": half + samples // 2}
    if kind == "labels":
        return Dataset(x, (x[:, :3] > noise).float(), "multilabel", ["a", "b", "c"], **more)
    if kind == "line":
        return Dataset(x, x[:, :2] + 0.1 * torch.randn(samples, 2, generator=g), "regression", ["a", "b"], **more)
    return Dataset(x, y, "classes", ["a", "b", "c"], **more)

class Hidden(nn.Module):
    # A softmax that no layer table shows.
    def __init__(self, inner):
        super().__init__()
        self.inner = inner
    def forward(self, x):
        return self.inner(x).softmax(1)

def mlp(shape, outputs, depth=1, activation="ReLU", width=32, last="", still=False):
    sizes = [shape[0]] + [width] * depth
    layers = [m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), getattr(nn, activation)())]
    layers.append(nn.Linear(sizes[-1], outputs))
    if still:  # nothing of the sample comes through
        nn.init.zeros_(layers[-1].weight).requires_grad_(False)
    if last == "hidden":
        return Hidden(nn.Sequential(*layers))
    ends = {"": [], "Softmax": [nn.Softmax(1)], "LogSoftmax": [nn.LogSoftmax(1)]}
    return nn.Sequential(*layers, *(ends[last] if last in ends else [getattr(nn, last)()]))
"""


def with_parts(root: Path) -> Path:
    """A lab whose recipes can name PARTS."""
    (root / "diagnosed_parts.py").write_text(PARTS)
    return root


@contextmanager
def unhurried() -> Iterator[None]:
    """However slow this machine is, everything of a training is looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("labtui.engine.budget.FREE", 60.0)
        yield


def asked(lab: Path, *, fails: bool = False, data: Any = None, model: Any = None, **tables: Any) -> Diagnosis:
    """Train, and ask all rules of the run."""
    train = {"epochs": 40, "batch_size": 32} | tables.pop("train", {})
    what: Any = recipe().tables() | {
        "name": "fault",
        "data": {"factory": "diagnosed_parts:data"} | (data or {}),
        "model": {"factory": "diagnosed_parts:mlp"} | (model or {}),
        "optimizer": {"name": "adam", "lr": 3e-3},
        "validate": {"val": 0.3, "test": 0.0, "monitor": "val.loss"},
        **tables,
        "train": train,
    }
    what = Recipe.model_validate(what)
    paths = make(lab, what)
    with unhurried(), pytest.raises(LabtuiError) if fails else nullcontext():
        train_here(paths, what)
    # A training in this process is never said to be finished.
    return diagnose(replace(case(Lab(paths.lab).run(paths.id)), over=not fails))


def names(found: Diagnosis) -> list[str]:
    """Names of the rules that found something."""
    return [one.rule for one in found.findings]


def evidence(found: Diagnosis, rule: str) -> str:
    """All that a rule says."""
    one = next(one for one in found.findings if one.rule == rule)
    return "\n".join((one.text, *one.evidence, one.advice))
