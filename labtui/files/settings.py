"""Settings: the lab's `labtui.toml` over the user's own (`~/.config/labtui/labtui.toml`, XDG)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from labtui.errors import LabError
from labtui.files.toml import read


def settings(root: Path) -> dict[str, Any]:
    """All settings of a lab, table by table: a key of the lab's file hides the user's.

    Raises:
        LabError: a file is no TOML or cannot be read.
    """
    found: dict[str, Any] = {}
    for path in _files(root):
        for key, value in _tables(path).items():
            both = isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = found[key] | value if both else value
    return found


def source(root: Path, table: str, key: str = "") -> Path:
    """The file whose word counts for a table or for one of its keys, to name it in a message."""
    user, lab = _files(root)
    given = _tables(lab).get(table, {})
    return lab if given and (not key or not isinstance(given, dict) or key in given) else user


def _files(root: Path) -> tuple[Path, Path]:
    """The user's own file and the lab's."""
    # Not Path.home, which raises where a user has no home, as in many a container.
    config = Path(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"))
    return config / "labtui" / "labtui.toml", root / "labtui.toml"


def _tables(path: Path) -> dict[str, Any]:
    try:
        return read(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise LabError(f"{path}: cannot be read ({error}); mend or remove it") from None
