"""Models, built by the factory that a recipe names, and given weights to start from.

A factory is `f(shape, outputs, **options) -> nn.Module`: `shape` is one sample's as the model
sees it, the options are the recipe's `[model]` table without `name` and `factory`. The weights that
`path` names are loaded into what it returns; a factory that has a parameter `path` gets the file's
name, and loads it itself.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from labtui.errors import RecipeError
from labtui.files import factory
from labtui.recipe.spec import ModelPart, UserPart
from labtui.zoo import weights


def build(spec: ModelPart, shape: tuple[int, ...], outputs: int, root: Path) -> nn.Module:
    """The model that a recipe's `[model]` table describes, without the weights that `path` names.

    Args:
        spec: the table; a `UserPart` is imported from `root`.
        shape: of one sample, without the batch.
        outputs: units of the last layer.
        root: the lab folder.

    Raises:
        RecipeError: the factory cannot be found, does not take the options or the shape, or did not
            return an `nn.Module`.
    """
    name, folder = _factory(spec, root)
    options = spec.options()
    if spec.path is not None and _loads_itself(spec, root):
        options["path"] = weights.file_of(spec.path, root)
    model = factory.call(name, shape, outputs, folder=folder, **options)
    if not isinstance(model, nn.Module):
        kind = type(model).__name__
        raise RecipeError(f"factory {name!r} returned a {kind}, expected a torch.nn.Module")
    return model


def load_weights(spec: ModelPart, model: nn.Module, root: Path) -> None:
    """Give a new model the weights that `path` names, if it names any and the factory did not.

    Raises:
        RecipeError: there are no such weights, or they are not this model's.
    """
    if spec.path is not None and not _loads_itself(spec, root):
        weights.load(model, spec.path, root)


def _factory(spec: ModelPart, root: Path) -> tuple[str, Path | None]:
    """What builds the model, and where it is imported from."""
    return (spec.factory, root) if isinstance(spec, UserPart) else (spec.factory_path, None)


def _loads_itself(spec: ModelPart, root: Path) -> bool:
    name, folder = _factory(spec, root)
    return factory.takes(name, "path", folder)
