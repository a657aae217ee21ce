"""The base of all recipe tables: typed, documented, closed, free of torch.

A table that has kinds (`[data]`, `[model]`, `[optimizer]`, …) says which by its `name`. A built-in
kind names its factory too, so that the engine builds built-in and user's parts in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Widths = list[Annotated[int, Field(ge=1)]]
"""Units of layers, one after the other; none: no such layer."""


class Spec(BaseModel):
    """One table of a recipe. Unknown keys are errors; values keep TOML's types (no "3" for 3)."""

    model_config = ConfigDict(
        extra="forbid",
        defer_build=True,
        frozen=True,
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
    )


class Part(Spec):
    """A table that is built by a factory: a data set or a model."""

    factory_path: ClassVar[str] = ""
    """`module:callable` that builds it, imported in the worker only."""
    beside: ClassVar[frozenset[str]] = frozenset({"name", "factory"})
    """Keys that are no options of the factory."""

    def options(self) -> dict[str, Any]:
        """The keyword arguments for the factory."""
        return self.model_dump(exclude=set(self.beside))


class ModelPart(Part):
    """A model, built by its factory and then given weights."""

    beside: ClassVar[frozenset[str]] = Part.beside | {"path"}
    branches: ClassVar[Mapping[str, str]] = {}
    """Options that name weights for one part of the model, each to that part's name."""

    path: str | None = Field(None, min_length=1)
    """Weights to start from: a checkpoint file (from the lab), a run's id (its `best.pt`), or a
    reference such as "@best:val.loss" or "@best:val.acc where model.name=cnn1d". A factory with an option
    `path` of its own gets the file instead."""


class Headed(ModelPart):
    """A model that ends in a `head`, and whose other layers may have learned elsewhere."""

    beside: ClassVar[frozenset[str]] = ModelPart.beside | {"new_head", "freeze"}

    new_head: bool = False
    """Take the weights of `path` for all layers but the head, which begins anew: for other classes or
    another task. What the file holds beyond that (its own head, a decoder) is left out."""
    freeze: bool = False
    """Train the head only. All other layers keep their weights and stay in evaluation mode, without
    dropout and with the statistics that their batch norms came with."""

    @model_validator(mode="after")
    def _new_after_old(self) -> Self:
        if self.new_head and self.path is None:
            raise ValueError("new_head = true needs a `path` that the other layers' weights come from")
        return self


class UserPart(Part):
    """A part of the user's own: any callable, with any options beside it."""

    model_config = ConfigDict(extra="allow")

    factory: str = Field(pattern=r"^[\w.]+:[\w.]+$")
    """`module:callable`, imported from the lab folder in the worker."""


class UserModel(ModelPart, UserPart):
    """A model of the user's own: any callable, with any options beside it."""

    model_config = ConfigDict(extra="allow")
