"""Models, built by the factory that a recipe names, and given weights to start from.

A factory is `f(shape, outputs, **options) -> nn.Module`: `shape` is one sample's as the model
sees it, the options are the recipe's `[model]` table without `name` and `factory`. The weights that
`path` names are loaded into what it returns; a factory that has a parameter `path` gets the file's
name, and loads it itself. The last layers of a model are called `head`, so that the others can be taken
over from another task (`new_head`) and left as they are (`freeze`).
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from labtui.errors import RecipeError
from labtui.files import factory
from labtui.recipe.spec import Headed, ModelPart, UserPart
from labtui.zoo import weights


def build(
    spec: ModelPart, shape: tuple[int, ...], outputs: int, lab: Path, code: Path | None = None
) -> nn.Module:
    """The model that a recipe's `[model]` table describes, without the weights that `path` names.

    Args:
        spec: the table.
        shape: of one sample, without the batch.
        outputs: units of the last layer.
        lab: the lab folder, from which `path` is looked up.
        code: from which a `UserPart` is imported; absent: the lab.

    Raises:
        RecipeError: the factory cannot be found, does not take the options or the shape, or did not
            return an `nn.Module`.
    """
    name, folder = _factory(spec, code or lab)
    options = spec.options()
    if spec.path is not None and factory.takes(name, "path", folder):
        options["path"] = weights.file_of(spec.path, lab)
    model = factory.call(name, shape, outputs, folder=folder, **options)
    if not isinstance(model, nn.Module):
        kind = type(model).__name__
        raise RecipeError(f"factory {name!r} returned a {kind}, expected a torch.nn.Module")
    if isinstance(spec, Headed) and spec.freeze:
        weights.freeze(model)
    return model


def load_weights(spec: ModelPart, model: nn.Module, lab: Path, code: Path | None = None) -> None:
    """Give a new model the weights that `path` names, if it names any and the factory did not; and its
    branches those that were meant for them.

    Args:
        lab, code: as in `build`.

    Raises:
        RecipeError: there are no such weights, or they are not this model's.
    """
    name, folder = _factory(spec, code or lab)
    if spec.path is not None and not factory.takes(name, "path", folder):
        weights.load(model, spec.path, lab, but_head=isinstance(spec, Headed) and spec.new_head)
    for option, branch in spec.branches.items():
        if (path := getattr(spec, option)) is not None:
            weights.load(model.get_submodule(branch), path, lab, f"model.{option}", but_head=True)


def _factory(spec: ModelPart, code: Path) -> tuple[str, Path | None]:
    """What builds the model, and where it is imported from."""
    return (spec.factory, code) if isinstance(spec, UserPart) else (spec.factory_path, None)
