"""Weights to start from, which `model.path` names, and weights that stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from labtui.errors import RecipeError
from labtui.files.paths import RUN_ID, LabPaths

SHOWN = 5
"""Names of each kind of mismatch in a message."""


def file_of(path: str, lab: Path, key: str = "model.path") -> str:
    """The file that `path` means, relative to the lab: a run's id is its `best.pt`.

    Args:
        key: under which the recipe names it, for messages.

    Raises:
        RecipeError: it is a reference, which only the supervisor resolves.
    """
    if path.startswith("@"):
        raise RecipeError(
            f"{key} = {path!r}: a reference becomes a run when the run that needs it is started "
            "from the queue; here give a run's id or a file"
        )
    return str(LabPaths(lab).run(path).checkpoints / "best.pt") if RUN_ID.fullmatch(path) else path


def load(model: nn.Module, path: str, lab: Path, key: str = "model.path", but_head: bool = False) -> None:
    """Give a model the weights in a checkpoint of labtui, or in a file of its `state_dict`.

    Args:
        path: a file, relative to the lab, or a run's id.
        key: under which the recipe names it, for messages.
        but_head: leave the model's `head` as it is, and in the file what the model does not have.

    Raises:
        RecipeError: there is no such file, it cannot be read, or its weights are not this model's.
    """
    file = lab / file_of(path, lab, key)
    try:
        given: Any = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RecipeError(
            f"{key} = {path!r}: there is no {file}; give a checkpoint file, the id of a run that has "
            "a best.pt, or a reference such as @best:val.loss"
        ) from None
    except Exception as error:  # torch raises almost anything, by where a file is broken
        raise RecipeError(f"{key} = {path!r}: {file} is no readable checkpoint ({error})") from error
    if isinstance(given, Mapping) and isinstance(given.get("model"), Mapping):
        given = given["model"]
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise RecipeError(f"{key} = {path!r}: {file} holds no weights by name")
    own = model.state_dict()
    if but_head:
        own = {name: value for name, value in own.items() if not of_head(name)}
        given = {name: value for name, value in given.items() if name in own}
    if problems := _mismatches(given, own):
        raise RecipeError(f"{key} = {path!r}: the weights are another model's: {'; '.join(problems)}")
    model.load_state_dict(given, strict=not but_head)


def freeze(model: nn.Module) -> None:
    """Leave all of a model but its `head` as it is: no gradient, and evaluation mode for good."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(of_head(name))
    model.register_forward_pre_hook(_hold_still)


def _hold_still(model: nn.Module, _: Any) -> None:
    """Undo what `train()` did to the frozen layers."""
    for name, layer in model.named_children():
        if not of_head(name):
            layer.eval()


def of_head(name: str) -> bool:
    """Whether a parameter or layer of this name belongs to a model's last layers."""
    return name.partition(".")[0] == "head"


def _mismatches(given: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    """What does not fit, the first few of each kind."""
    shapes = [
        f"{name} is {_shape(given[name])}, the model's is {_shape(value)}"
        for name, value in own.items()
        if name in given and _shape(given[name]) != _shape(value)
    ]
    kinds = {
        "missing": [name for name in own if name not in given],
        "not in the model": [name for name in given if name not in own],
        "of another shape": shapes,
    }
    return [f"{len(names)} {kind} ({_first(names)})" for kind, names in kinds.items() if names]


def _first(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def _shape(value: Any) -> Any:
    return tuple(value.shape) if hasattr(value, "shape") else type(value).__name__
