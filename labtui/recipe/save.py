"""Writing a recipe file: below the lab's `recipes/`, atomically, and over nothing that somebody else wrote."""

from __future__ import annotations

import os
from pathlib import Path

from labtui.errors import LabError, RecipeError
from labtui.files.atomic import write_atomic
from labtui.recipe.read import read_text


def place(folder: Path, name: str) -> Path:
    """The file of a recipe that is to be called so.

    Args:
        folder: the lab's `recipes/`.
        name: its path below that; `.toml` is added where it is missing.

    Raises:
        LabError: the name leads elsewhere, or is none.
    """
    name = name.strip().removeprefix("recipes/")
    if name and not name.endswith(".toml"):
        name += ".toml"
    parts = name.split("/")
    if not name or "\x00" in name or any(part in ("", ".", "..") or part.startswith(".") for part in parts):
        raise LabError(f"{name!r}: no name for a recipe; give one below recipes/, such as fault/mine.toml")
    path = folder / name
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise LabError(f"{path}: leads out of {folder}; give a name in it")
    return path


def save(folder: Path, name: str, text: str, before: str | None = None) -> Path:
    """Write a recipe.

    Args:
        folder: the lab's `recipes/`.
        name: its path below that.
        before: what the file held when it was read; None: it is a new one.

    Returns:
        The file.

    Raises:
        LabError: it is there already, has been changed meanwhile, or cannot be written.
    """
    path = place(folder, name)
    if before is None and os.path.lexists(path):
        raise LabError(f"{path}: is there already; give another name")
    if before is not None:
        try:
            now = read_text(path)
        except RecipeError as error:
            raise LabError(f"{error}; save it under another name") from None
        if now != before:
            raise LabError(f"{path}: was changed on the disk meanwhile; save yours under another name")
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not os.access(target, os.W_OK):
            raise LabError(f"{path}: is read-only; save it under another name")
        write_atomic(target, text.encode("utf-8", "replace"))
    except OSError as error:
        raise LabError(f"{path}: cannot be written ({error.strerror})") from error
    return path
