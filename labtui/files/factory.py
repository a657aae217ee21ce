"""Finding and calling the callables that recipes name: built-in parts and the user's own alike."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labtui.errors import RecipeError


def load(name: str, folder: Path | None = None) -> Callable[..., Any]:
    """The callable that `module:callable` names.

    Args:
        name: `package.module:callable`; the callable may be an attribute of an attribute.
        folder: put first on `sys.path` and left there, so that the part's own late imports work.

    Raises:
        RecipeError: no such module or callable, or the module cannot be imported.
    """
    module_name, colon, attributes = name.partition(":")
    if not (colon and module_name and attributes):
        raise RecipeError(f"factory {name!r}: expected 'module:callable', such as 'my_model:build'")
    if folder is not None and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a user's module may do anything while it is imported
        where = f" (looked in {folder} first)" if folder is not None else ""
        raise RecipeError(
            f"factory {name!r}: cannot import {module_name!r}{where}: {type(error).__name__}: {error}"
        ) from error
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            raise RecipeError(f"factory {name!r}: {module_name!r} has no {attributes!r}")
        found = getattr(found, attribute)
    if not callable(found):
        raise RecipeError(f"factory {name!r}: {attributes!r} is of type {type(found).__name__}, not callable")
    return found  # type: ignore[no-any-return]


def takes(name: str, option: str, folder: Path | None = None) -> bool:
    """Whether what `module:callable` names has a parameter of this name.

    Raises:
        RecipeError: it cannot be loaded.
    """
    try:
        return option in inspect.signature(load(name, folder)).parameters
    except ValueError:  # some callables written in C have none
        return False


def call(name: str, *args: Any, folder: Path | None = None, **options: Any) -> Any:
    """Call what `module:callable` names with `args` and `options`.

    Errors that the callable raises pass through unchanged, so that their traceback shows its lines.

    Raises:
        RecipeError: it cannot be loaded, or does not take these arguments.
    """
    function = load(name, folder)
    try:
        signature = inspect.signature(function)
    except ValueError:  # some callables written in C have none
        return function(*args, **options)
    try:
        signature.bind(*args, **options)
    except TypeError as error:
        raise RecipeError(
            f"factory {name!r}: {error}; it takes {signature}, "
            f"and the recipe gives {', '.join(options) or 'no options'}"
        ) from error
    return function(*args, **options)
