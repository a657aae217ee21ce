"""A model as a function of weights and masks that come from outside, and what of it can be stacked."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.conv import _ConvNd

_WHOLE_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
"""Layers that see a batch as a whole, and of which each row can have its own."""
DROPOUTS = (nn.Dropout, nn.MultiheadAttention, *_WHOLE_CHANNELS)
"""Layers whose masks can come from outside."""


@dataclass(frozen=True)
class Mask:
    """What one call of a dropout layer multiplies with."""

    layer: int
    """Number of the layer, among those with dropout."""
    shape: tuple[int, ...]
    order: tuple[int, ...]
    """Its dimensions as they lie in memory, where a mask is drawn from the first to the last."""

    @classmethod
    def of(cls, layer: int, x: Tensor) -> Mask:
        """The mask for an input."""
        strides = x.stride()
        return cls(layer, tuple(x.shape), tuple(sorted(range(x.ndim), key=lambda d: -strides[d])))

    @property
    def back(self) -> tuple[int, ...]:
        """Where the dimensions lie in memory."""
        return tuple(self.order.index(dimension) for dimension in range(len(self.order)))


class Functional:
    """One model's forward pass as a function of its weights, of its buffers and of dropout masks.

    Args:
        model: on its device; left as it is.
        highest: the greatest probability that any row has for each layer with dropout.
    """

    def __init__(self, model: nn.Module, highest: Sequence[float]) -> None:
        self.model = copy.deepcopy(model)
        self._asked: list[Mask] | None = None
        self._given: Iterator[Tensor] = iter(())
        self.highest = highest
        for number, layer in enumerate(dropouts(self.model)):
            if isinstance(layer, nn.MultiheadAttention):
                forward: Any = partial(self._attend, layer, layer.forward, number)
            else:
                forward = partial(self._drop, layer, number)
            layer.forward = forward
        for layer in self.model.modules():
            if isinstance(layer, _ConvNd) and _pointwise(layer):
                layer._conv_forward = _multiply  # type: ignore[assignment]

    def _drop(self, layer: nn.Module, number: int, x: Tensor) -> Tensor:
        if not layer.training or not self.highest[number]:
            return x
        if self._asked is not None:
            whole = isinstance(layer, _WHOLE_CHANNELS)
            self._asked.append(
                Mask.of(number, x.new_empty((*x.shape[:2], *(1,) * (x.ndim - 2))) if whole else x)
            )
            return x
        return x * next(self._given)

    def _attend(
        self,
        layer: nn.MultiheadAttention,
        forward: Callable[..., tuple[Tensor, Tensor | None]],
        number: int,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        **options: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """Self-attention, put down in full: torch's own has no stacked form and draws its masks itself."""
        plain = query is key is value and layer.in_proj_weight is not None and layer.bias_k is None
        asked = {name for name, option in options.items() if option is not None and option is not False}
        if not plain or layer.add_zero_attn or "need_weights" not in options or asked:
            return forward(query, key, value, **options)
        x = query if layer.batch_first else query.transpose(0, 1)
        n, length, width = x.shape
        projected = F.linear(x, layer.in_proj_weight, layer.in_proj_bias)
        q, k, v = projected.view(n, length, 3, layer.num_heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q @ k.transpose(-2, -1) * (width // layer.num_heads) ** -0.5).softmax(-1)
        # In memory the sequence comes first, as it does in torch's own: masks behind this are drawn so.
        heads = (self._drop(layer, number, weights) @ v).permute(2, 0, 1, 3).reshape(length, n, width)
        output: Tensor = F.linear(heads, layer.out_proj.weight, layer.out_proj.bias)
        return (output.transpose(0, 1) if layer.batch_first else output), None

    def __call__(self, weights: Mapping[str, Tensor], x: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
        """The outputs (n, …) of samples (n, …).

        Args:
            weights: parameters and buffers by name; those that are not there are the model's own.
            masks: in the order of `masks()`.
        """
        self._given = iter(masks)
        return functional_call(self.model, dict(weights), (x,))  # type: ignore[no-any-return]

    def masks(self, x: Tensor) -> list[Mask]:
        """The masks that samples (n, …) need in training, in the order of their use. The model trains."""
        self._asked = []
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                self.model(x)
            return self._asked
        finally:
            self._asked = None


def averaging(model: nn.Module) -> list[str]:
    """Names of the buffers in which batch normalisation keeps averages of what it has seen in training."""
    return [
        f"{layer}.{name}" if layer else name
        for layer, module in model.named_modules()
        if type(module) in NORMS and module.track_running_stats
        for name, _ in module.named_buffers()
    ]


def dropouts(model: nn.Module) -> list[nn.Module]:
    """The layers with dropout of which masks can come from outside."""
    return [layer for layer in model.modules() if type(layer) in DROPOUTS]


def rates(model: nn.Module) -> list[float]:
    """The probability of each of these layers."""
    return [float(getattr(layer, "p", getattr(layer, "dropout", 0.0))) for layer in dropouts(model)]


def _pointwise(layer: _ConvNd) -> bool:
    """Whether a convolution looks at one place at a time."""
    plain = layer.groups == 1 and not any(_numbers(layer.padding)) and not layer.transposed
    return plain and {*layer.kernel_size, *layer.stride} == {1}


def _numbers(padding: Any) -> tuple[int, ...]:
    return () if padding == "valid" else (1,) if padding == "same" else tuple(padding)


def _multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """What such a convolution does. With weights of its own for each row it would be a convolution in groups,
    which takes three times as long as a product of matrices."""
    output = torch.matmul(weight.flatten(1), x.flatten(2)).view(len(x), len(weight), *x.shape[2:])
    return output if bias is None else output + bias.view(-1, *(1 for _ in x.shape[2:]))
