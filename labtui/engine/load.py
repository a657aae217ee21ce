"""Loading what a training needs, all at once and before it is needed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

ALWAYS = (
    "torch",
    # Every optimiser drags it in when it is made, and it costs as much as torch itself.
    "torch._dynamo",
    "torch.utils.serialization",
    "torchinfo",
    "threadpoolctl",
    "labtui.engine.__main__",
    "labtui.engine.train",
    "labtui.environment",
    "labtui.recipe.read",
)
"""What every training loads sooner or later."""


def load() -> None:
    """Import what every training needs."""
    with _uncollected():
        for module in ALWAYS:
            import_module(module)


def load_parts(data: str | None, model: str | None, scheme: str | None) -> None:
    """Import what the built-in parts of a recipe need beyond that.

    A user's own modules are left alone. What cannot be imported is left to the training, whose error
    says more.

    Args:
        data, model: names in the recipe; None for a user's own.
        scheme: of `[validate]`.
    """
    with _uncollected(), suppress(Exception):
        from labtui.recipe.data import DATASETS
        from labtui.recipe.models import MODELS

        for name, specs in ((data, DATASETS), (model, MODELS)):
            for spec in specs:
                if spec.model_fields["name"].default == name:
                    import_module(spec.factory_path.partition(":")[0])
        if scheme != "file":
            import_module("sklearn.model_selection")
        # Its first look at the libraries takes 10 ms, later ones 3.
        import_module("threadpoolctl").ThreadpoolController()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing of what is imported is garbage, and looking for it would take a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
