"""The base of all recipe tables: typed, documented, closed, free of torch.

A table that has kinds (`[data]`, `[model]`, `[optimizer]`, …) says which by its `name`. A built-in
kind names its factory too, so that the engine builds built-in and user's parts in the same way.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Spec(BaseModel):
    """One table of a recipe. Unknown keys are errors; values keep TOML's types (no "3" for 3)."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class Part(Spec):
    """A table that is built by a factory: a data set or a model."""

    factory_path: ClassVar[str] = ""
    """`module:callable` that builds it, imported in the worker only."""

    def options(self) -> dict[str, Any]:
        """The keyword arguments for the factory: every field but the name."""
        return self.model_dump(exclude={"name", "factory"})


class UserPart(Part):
    """A part of the user's own: any callable, with any options beside it."""

    model_config = ConfigDict(extra="allow")

    factory: str = Field(pattern=r"^[\w.]+:[\w.]+$")
    """`module:callable`, imported from the lab folder in the worker."""
