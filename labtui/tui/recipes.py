"""Recipes by folder, as lines of a table. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labtui.cells import clean
from labtui.tui.widgets.table import Cells

FEW = 15
"""Recipes up to which all folders are open unless somebody closes them."""


@dataclass(frozen=True)
class RecipeLine:
    """A folder, or a recipe.

    Args:
        key: its path below `recipes/`; of a folder with a slash at its end.
        depth: how many folders it is in.
        runs: runs of it, or of all recipes in it.
        recipes: in the folder; 0 of a recipe.
        open: whether what is in the folder is shown.
        text: what a recipe says of itself.
        error: why it cannot be read.
    """

    key: str
    depth: int
    runs: int
    recipes: int = 0
    open: bool = False
    text: str = ""
    error: str = ""

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return self.key.endswith("/")


def counted(recipes: Iterable[str]) -> Counter[str]:
    """How many runs each recipe has, by its path below `recipes/`.

    Args:
        recipes: of all runs, the files that they came from.
    """
    counts = Counter(recipes)
    return Counter({path.removeprefix("recipes/"): count for path, count in counts.items()})


def recipe_lines(
    recipes: Mapping[str, Mapping[str, Any]], runs: Mapping[str, int], turned: Collection[str], word: str = ""
) -> dict[str, RecipeLine]:
    """Lines of a table by their keys: what is in a folder under it, recipes in none first.

    Args:
        recipes: path below `recipes/` to what a listing has of it.
        runs: path to number of runs.
        turned: folders that are not as they would be: open where recipes are few, else closed.
        word: only recipes whose path, name, description or tags hold it, in open folders.
    """
    word = word.strip().casefold()
    fit = [path for path, recipe in recipes.items() if word in _said(path, recipe)]
    fit.sort(key=lambda path: ("/" in path, path.split("/")))
    open_ones = len(recipes) <= FEW
    found: dict[str, RecipeLine] = {}
    for path in fit:
        parts = path.split("/")
        hidden = False
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth]) + "/"
            opened = bool(word) or (folder in turned) != open_ones
            if not hidden and folder not in found:
                own = [other for other in fit if other.startswith(folder)]
                total = sum(runs.get(other, 0) for other in own)
                found[folder] = RecipeLine(folder, depth - 1, total, len(own), opened)
            hidden = hidden or not opened
        if not hidden:
            recipe = recipes[path]
            text, error = str(recipe.get("description", "")), str(recipe.get("error", ""))
            found[path] = RecipeLine(path, len(parts) - 1, runs.get(path, 0), text=text, error=error)
    return found


def _said(path: str, recipe: Mapping[str, Any]) -> str:
    """All that a search looks through."""
    said = (path, recipe.get("name", ""), recipe.get("description", ""), *recipe.get("tags", ()))
    return " ".join(map(str, said)).casefold()


def recipe_cells(line: RecipeLine) -> Cells:
    """Name, number of runs, description."""
    runs = (str(line.runs) if line.runs else "", "dim")
    indent = "  " * line.depth
    last = line.key.rstrip("/").rpartition("/")[2]
    if line.folder:
        name = f"{indent}{'▾' if line.open else '▸'} {last}"
        return [
            (clean(name), "bold"),
            runs,
            (f"{line.recipes} recipe{'s' if line.recipes > 1 else ''}", "dim"),
        ]
    name = clean(f"{indent}  {last.removesuffix('.toml')}")
    return [
        (name, "bad" if line.error else ""),
        runs,
        (clean(line.error or line.text), "bad" if line.error else "dim"),
    ]
