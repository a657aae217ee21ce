"""Forward passes in 16 bits; weights, gradients and losses stay in 32 (Micikevicius et al. 2018)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import Tensor


class Precision:
    """How precisely a model computes, and how its gradient is kept from vanishing.

    Half precision has no number below 6e-8. So the loss is multiplied, and the gradient divided again, by a
    scale that halves when the gradient overflows, whose step is then left out, and doubles after 2,000 good
    steps. Nothing of it waits for the device.

    Args:
        name: "float32", "bfloat16" or "float16"; only the last needs a scale.
    """

    def __init__(self, name: Literal["float32", "bfloat16", "float16"], device: torch.device) -> None:
        self._device, self._type = device, getattr(torch, name)
        self._scaler = torch.amp.GradScaler(device.type) if name == "float16" else None
        self._one = torch.ones((), device=device)
        self._skipped = torch.zeros((), dtype=torch.int64, device=device)

    def forward(self) -> AbstractContextManager[Any]:
        """Within it a model computes at this precision."""
        if self._type == torch.float32:
            return nullcontext()
        return torch.autocast(self._device.type, self._type)

    def scaled(self, loss: Tensor) -> Tensor:
        """The loss that the gradient is taken of."""
        return loss if self._scaler is None else self._scaler.scale(loss)

    @property
    def scale(self) -> float:
        """What the loss is multiplied by; asking waits for the device."""
        return 1.0 if self._scaler is None else float(self._scaler.get_scale())

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Bring the gradient to its own size, before it is cut."""
        if self._scaler is not None:
            self._scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Do an optimiser step, if the gradient is finite."""
        if self._scaler is None:
            optimizer.step()
            return
        before = self._scaler.scale(self._one)
        self._scaler.step(optimizer)
        self._scaler.update()
        self._skipped += self._scaler.scale(self._one) < before

    def facts(self) -> dict[str, float]:
        """Metrics: optimiser steps left out so far, if any can be."""
        return {} if self._scaler is None else {"train.skipped_steps": float(self._skipped)}

    def state_dict(self) -> dict[str, Any]:
        """What a resume needs."""
        return (
            {}
            if self._scaler is None
            else {"scaler": self._scaler.state_dict(), "skipped": int(self._skipped)}
        )

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the state over."""
        if self._scaler is not None:
            self._scaler.load_state_dict(state["scaler"])
            self._skipped.fill_(state["skipped"])


def single(x: Tensor) -> Tensor:
    """Numbers of 16 bits in 32, others as they are."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
