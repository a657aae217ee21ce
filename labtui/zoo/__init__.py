"""Models, built by the factory that a recipe names.

A factory is `f(shape, outputs, **options) -> nn.Module`: `shape` is one sample's as the model
sees it, the options are the recipe's `[model]` table without `name` and `factory`.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from labtui.errors import RecipeError
from labtui.files import factory
from labtui.recipe.spec import Part, UserPart


def build(spec: Part, shape: tuple[int, ...], outputs: int, root: Path) -> nn.Module:
    """The model that a recipe's `[model]` table describes.

    Args:
        spec: the table; a `UserPart` is imported from `root`.
        shape: of one sample, without the batch.
        outputs: units of the last layer.
        root: the lab folder.

    Raises:
        RecipeError: the factory cannot be found, does not take the options or the shape, or did not
            return an `nn.Module`.
    """
    if isinstance(spec, UserPart):
        name, folder = spec.factory, root
    else:
        name, folder = spec.factory_path, None
    model = factory.call(name, shape, outputs, folder=folder, **spec.options())
    if not isinstance(model, nn.Module):
        kind = type(model).__name__
        raise RecipeError(f"factory {name!r} returned a {kind}, expected a torch.nn.Module")
    return model
