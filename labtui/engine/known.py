"""What several trainings in one process have in common, built once: data sets, and what is made of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from labtui.data import Dataset
from labtui.engine.samples import Shelf
from labtui.recipe.core import Recipe, Validate
from labtui.recipe.spec import UserPart

SPLITTING = {"scheme", "val", "test", "test_fold", "folds", "fold", "seed"}
"""Keys of `[validate]` that say how the data is split."""


class Known:
    """Keeps what was built, for those who need the same."""

    def __init__(self) -> None:
        self._kept: dict[Any, Any] = {}

    def _once(self, key: Any, build: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = build()
        return self._kept[key]

    def dataset(self, recipe: Recipe, build: Callable[[], Dataset]) -> Dataset:
        """The data set as it comes, nothing being learnt for it yet. A user's own may depend on the seed."""
        assert recipe.data is not None
        seed = recipe.train.seed if isinstance(recipe.data, UserPart) else None
        return self._once(("data", seed, recipe.data.model_dump_json()), build)  # type: ignore[no-any-return]

    def split(
        self, dataset: Dataset, validate: Validate, build: Callable[[], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """Which samples are trained on, validated on and tested on."""
        key = ("split", id(dataset), validate.model_dump_json(include=SPLITTING))
        return self._once(key, build)  # type: ignore[no-any-return]

    def learned(self, dataset: Dataset, train: Tensor) -> Dataset:
        """The data set with what it learns from the training split's places (n,)."""
        if dataset.fit is None:
            return dataset

        def learn() -> Dataset:
            found = dataclasses.replace(dataset)
            found.learn(train)
            return found

        return self._once(("learned", id(dataset), train.numpy().tobytes()), learn)  # type: ignore[no-any-return]

    def layers(self, recipe: Recipe, shape: Any, build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The table of a model's layers."""
        assert recipe.model is not None
        key = ("layers", recipe.model.model_dump_json(), shape)
        return self._once(key, build)  # type: ignore[no-any-return]

    def shelf(self, dataset: Dataset, device: torch.device, build: Callable[[], Shelf]) -> Shelf:
        """The data where it is to stay."""
        return self._once(("shelf", id(dataset), device), build)  # type: ignore[no-any-return]
