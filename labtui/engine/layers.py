"""The model's layer table, with output shapes and parameter counts (torchinfo)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from labtui.errors import TrainingError


def table(model: nn.Module, sample: Tensor, expected: tuple[int, ...] | None) -> dict[str, Any]:
    """What the model is made of.

    Args:
        model: on the CPU; left as it is.
        sample: (1, *shape), as the model sees it.
        expected: shape of the output for one sample; None: any.

    Returns:
        `rows` of name, type, depth, output (shape without the batch) and params (the layer's own,
        each counted once), the totals of `count`, and what is `given` to the first layers.

    Raises:
        TrainingError: the model cannot take the sample, or gives another shape than expected.
    """
    from torchinfo import summary

    fast = torch.backends.mha.get_fastpath_enabled()
    # The fast path of attention passes by the inner layers' hooks, which tell the output shapes.
    torch.backends.mha.set_fastpath_enabled(False)
    training = model.training
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            first = given(model.eval(), lambda: _check(model, sample, expected))
            found = summary(model, input_data=sample, verbose=0, mode="eval", depth=100)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        model.train(training)
    rows = [
        {
            "name": info.var_name,
            "type": info.class_name,
            "depth": info.depth,
            "output": [int(n) for n in info.output_size[1:]],
            "params": 0 if info.is_recursive else _own(info),
        }
        for info in found.summary_list
    ]
    return {"rows": rows, **count(model), "given": first}


def given(model: nn.Module, forward: Callable[[], None]) -> dict[str, Any]:
    """Which layers a model's input meets first.

    Args:
        forward: puts a sample through the model.

    Returns:
        `layers`: kinds of the first two that hold parameters, or normalise; `width`: what the first takes, as its
        weights tell; None: they do not.
    """
    met: list[nn.Module] = []
    hooks = [
        module.register_forward_pre_hook(lambda module, _: met.append(module))
        for module in model.modules()
        if not list(module.children()) and (list(module.parameters()) or "Norm" in type(module).__name__)
    ]
    try:
        forward()
    finally:
        for hook in hooks:
            hook.remove()
    width = None
    for name in ("in_channels", "in_features", "input_size", "num_features"):
        if met and isinstance(found := getattr(met[0], name, None), int):
            width = found
            break
    return {"layers": [type(module).__name__ for module in met[:2]], "width": width}


def count(model: nn.Module) -> dict[str, int]:
    """Parameters, trainable parameters, and layers that hold no others."""
    parameters = list(model.parameters())
    return {
        "parameters": sum(p.numel() for p in parameters),
        "trainable": sum(p.numel() for p in parameters if p.requires_grad),
        "layers": sum(not any(module.children()) for module in model.modules()),
    }


def _own(info: Any) -> int:
    own = info.num_params if info.is_leaf_layer else info.leftover_params()
    return int(own)


def _check(model: nn.Module, sample: Tensor, expected: tuple[int, ...] | None) -> None:
    shape = tuple(sample.shape[1:])
    try:
        output = model(sample)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise TrainingError("error", f"the model cannot take a sample of shape {shape}: {error}") from error
    got = tuple(output.shape[1:]) if isinstance(output, Tensor) else type(output).__name__
    if got != expected and (expected is not None or isinstance(got, str)):
        raise TrainingError(
            "error",
            f"the model gives {got} for a sample of shape {shape}, the data needs {expected}: "
            "look at the model's last layer",
        )
