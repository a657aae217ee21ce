"""What the runs table looked like when it was last left, kept in the lab."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from labtui.files.atomic import read_json, write_json
from labtui.tui.columns import DEFAULT
from labtui.tui.listing import Shown


@dataclass(frozen=True)
class Arrangement:
    """How a person has arranged the runs of a lab.

    Args:
        columns: see `labtui.tui.columns`.
        sort, reverse: by which column, and whether the largest is first.
        filter: the filter line.
        group: keys by which runs are grouped; none: they are not.
        baseline: id of the run that others are compared with; empty: none.
        turned: folders of recipes that are open where they would be closed, or the other way round.
    """

    columns: tuple[str, ...] = DEFAULT
    sort: str = "age"
    reverse: bool = True
    filter: str = ""
    group: tuple[str, ...] = ()
    baseline: str = ""
    turned: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Arrangement:
        """The arrangement that was kept; what is missing, or is not what it should be, as it is by default."""
        record = read_json(path) or {}
        own = record.get("lab")
        if not isinstance(own, dict):
            return cls()
        found = {field.name: _of(own.get(field.name), field.default) for field in fields(cls)}
        return cls(**found | {"columns": found["columns"] or DEFAULT})

    def write(self, path: Path) -> None:
        """Keep it. A lab that cannot be written, or that has no runs yet, is left as it is."""
        if path.parent.is_dir():
            with suppress(OSError):
                write_json(path, {"format": 1, "lab": asdict(self)}, fsync=False)

    @property
    def shown(self) -> Shown:
        """What the feed is asked for."""
        return Shown(self.filter, self.sort, self.reverse, self.columns, self.group, self.baseline)


def _of(value: Any, default: Any) -> Any:
    """A value of the default's kind, or the default."""
    if isinstance(default, tuple):
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        return tuple(dict.fromkeys(value)) if texts else default
    return value if type(value) is type(default) else default
