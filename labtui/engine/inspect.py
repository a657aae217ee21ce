"""What a recipe would build, for `labtui check`: `python -m labtui.engine.inspect` in the lab.

Reads a resolved recipe as JSON from stdin, and prints a JSON object: `parameters`, `trainable`,
`layers` (rows of the layer table), `shape`, `outputs`, `splits`; or `error` and its `kind`, with exit
status 2.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labtui.recipe.core import Recipe


def inspect(tables: dict[str, Any], lab: Path) -> dict[str, Any]:
    """Data and model of a recipe, built and looked at, and its training parts tried.

    Raises:
        LabtuiError: as the run itself would.
    """
    import torch

    from labtui.engine import setup
    from labtui.recipe.core import Recipe

    recipe = Recipe.model_validate(tables)
    material = setup.material(recipe, lab)
    parts = setup.parts(recipe, material, torch.device("cpu"))
    setup.load_weights(known(recipe), parts.model, lab)
    table = material.layers
    return {
        **{name: value for name, value in table.items() if name != "rows"},
        "layers": table["rows"],
        "steps_per_epoch": parts.steps,
        **material.describe(recipe),
    }


def known(recipe: Recipe) -> Recipe:
    """The recipe without weights by reference, which become a run's when the one that needs them starts."""
    assert recipe.model is not None
    keys = ("path", *recipe.model.branches)
    later = {key: None for key in keys if (getattr(recipe.model, key) or "").startswith("@")}
    return recipe.model_copy(update={"model": recipe.model.model_copy(update=later)})


def main() -> int:
    """Read, inspect, print; the exit status."""
    try:
        # What a user's own factory prints is no part of the answer.
        with redirect_stdout(sys.stderr):
            found = inspect(json.load(sys.stdin), Path.cwd())
    except (Exception, SystemExit) as error:  # a part of the user's own may exit
        from labtui.engine.failure import explain

        found = {"error": explain(error)[1], "kind": type(error).__name__}
        print(json.dumps(found, ensure_ascii=False))
        return 2
    print(json.dumps(found, ensure_ascii=False, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
