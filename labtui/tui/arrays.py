"""Arrays that a run keeps, for the tabs that draw them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from labtui.tui.want import Eyes, Want, file_stamp


@dataclass(frozen=True)
class Arrays:
    """NPZ artifacts of a run, by name; those that there are."""

    stamps: tuple[tuple[int, int], ...] = ()
    """Of all that were looked for: arrays of the same stamps are the same."""
    found: dict[str, dict[str, Any]] = field(default_factory=dict, compare=False)
    classes: tuple[str, ...] = ()
    """Names of the data's classes."""


@dataclass(frozen=True)
class WantArrays(Want):
    """Artifacts of a run: found is an `Arrays`."""

    run: str
    names: tuple[str, ...]

    def stamp(self, eyes: Eyes) -> object:
        """The files'."""
        folder = eyes.lab.paths.run(self.run).artifacts
        return tuple(file_stamp(folder / f"{name}.npz") for name in self.names)

    def look(self, eyes: Eyes, before: Arrays | None) -> Arrays | None:
        """Read them."""
        run, stamps = eyes.run(self.run), self.stamp(eyes)
        if run is None or not isinstance(stamps, tuple):
            return None
        read = {
            name: run.artifact(name) for name, stamp in zip(self.names, stamps, strict=True) if stamp[0] > 0
        }
        data = run.artifact("data")
        classes = data.get("classes") if isinstance(data, dict) else None
        return Arrays(
            stamps,
            {name: arrays for name, arrays in read.items() if isinstance(arrays, dict)},
            tuple(map(str, classes)) if isinstance(classes, list) else (),
        )


NOT_YET = "nothing yet: labtui looks at the weights while it trains"


def why_none(params: dict[str, Any], state: str) -> str:
    """Why a run has nothing to draw of its inside."""
    if params.get("train.statistics") == 0:
        return "nothing was kept: the recipe says train.statistics = 0"
    if "model.name" not in params and "model.factory" not in params:
        return "nothing was kept: labtui looks inside the models that it trains itself"
    if state in ("running", "queued"):
        return NOT_YET
    return "nothing was kept"
