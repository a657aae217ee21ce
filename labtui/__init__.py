"""labtui: a terminal experiment manager for people who train models over SSH.

with labtui.init(recipe="my-exp", params={"lr": 1e-3}, monitor="val.acc") as run:
    run.log({"train.loss": loss}, step=step)

for row in labtui.open(".").runs("val.acc>0.9"):
    print(row.id, row.metrics["val.acc"].at_best)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labtui.errors import LabtuiError
    from labtui.launcher import enqueue
    from labtui.query import open_lab as open
    from labtui.writer import Run, init

__version__ = "0.1.0"
__all__ = ["LabtuiError", "Run", "enqueue", "init", "open"]

_HOMES = {
    "LabtuiError": ("labtui.errors", "LabtuiError"),
    "Run": ("labtui.writer", "Run"),
    "enqueue": ("labtui.launcher", "enqueue"),
    "init": ("labtui.writer", "init"),
    "open": ("labtui.query", "open_lab"),
}


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: a script that only writes reads nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    value = globals()[name] = getattr(import_module(module), attribute)
    return value
