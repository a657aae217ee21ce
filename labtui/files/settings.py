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
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    found: dict[str, Any] = {}
    for path in (config / "labtui" / "labtui.toml", root / "labtui.toml"):
        try:
            tables = read(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            raise LabError(f"{path}: cannot be read ({error}); mend or remove it") from None
        for key, value in tables.items():
            both = isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = found[key] | value if both else value
    return found
