"""A batch in pieces: less memory for the same gradient, also when memory has run out already.

The gradient of a batch's mean loss is the sum of the pieces' gradients, each times its share of the
samples, so that `train.accumulate` changes the last digits only. Order and augmentation are those of
the whole batch. Two things see the pieces: BatchNorm, which takes mean and variance of one piece (and
is never given one of a single sample), and dropout, whose masks are drawn piece by piece.

Where several processes train together, each cuts its own part of the batch, and they share their
gradients with the last piece.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from labtui.engine.batch import Batch
from labtui.engine.failure import first_line, out_of_memory
from labtui.engine.objective import Objective
from labtui.engine.precision import Precision
from labtui.engine.rng import rng_state, set_rng_state
from labtui.engine.world import ALONE, Part, World
from labtui.errors import TrainingError
from labtui.files.tell import tell
from labtui.recipe.core import Train

T = TypeVar("T")


class SmallerPieces(TrainingError):
    """Memory ran out in one of several processes, and all of them may go on from the last checkpoint in
    `accumulate` pieces: none can go back by itself."""

    def __init__(self, message: str, accumulate: int) -> None:
        super().__init__("oom", message)
        self.accumulate = accumulate


class Pieces:
    """How many pieces a batch is cut into, and the work that is done again when they are too large.

    Args:
        table: `accumulate`, `on_oom`, `batch_size`.
        samples: of the training split.
        generators: besides the global ones, those that the work draws from.
        precision: scales the loss that the gradient is taken of.
        world: the processes that train together.
    """

    def __init__(
        self,
        table: Train,
        samples: int,
        model: nn.Module,
        objective: Objective,
        device: torch.device,
        generators: dict[str, torch.Generator],
        precision: Precision,
        world: World = ALONE,
    ) -> None:
        self.table, self.objective, self.world = table, objective, world
        self.precision = precision
        self.model = world.wrap(model)
        self.count = table.accumulate
        """Pieces of one batch: `train.accumulate`, or what on_oom = "halve" made of it."""
        self._device, self._generators = device, generators
        norms = [module for module in self.model.modules() if isinstance(module, _BatchNorm)]
        # SyncBatchNorm counts all processes' samples.
        self._least = 1 if all(isinstance(norm, nn.SyncBatchNorm) for norm in norms) else 2
        self._batch = min(table.batch_size, samples)
        self._most = max(1, self._batch // (self._least * world.size))
        self._parts: dict[int, Part] = {}
        self._buffers = list(model.buffers())
        halves = table.on_oom == "halve"
        self._saved = [buffer.clone() for buffer in self._buffers] if halves else None

    def without_gradient(self) -> int:
        """Samples of a batch that is only scored: twice a piece takes no more memory then."""
        return max(1, 2 * self._batch // (self.count * self.world.size))

    def part(self, samples: int) -> Part:
        """This process's part of a batch."""
        if samples not in self._parts:
            self._parts[samples] = self.world.part(samples, self._least)
        return self._parts[samples]

    def gradient(self, batch: Batch, part: Part) -> tuple[Tensor, Tensor]:
        """Add the gradient of a batch's mean loss to that of the parameters.

        Args:
            batch: n samples, this process's part of it.

        Returns:
            The mean loss of the whole batch with its terms, as the objective gives them; the outputs (n, …).
        """
        # As many for each process: some modules talk to their likes elsewhere in forward.
        count = max(1, min(self.count, part.of // (self._least * self.world.size)))
        if count == 1:
            loss, output = self._piece(batch, part, last=True)
            return self.world.total(loss), output
        losses, outputs = [], []
        for number, piece in enumerate(batch.pieces(count), 1):
            loss, output = self._piece(piece, part, last=number == count)
            losses.append(loss)
            outputs.append(output)
        return self.world.total(torch.stack(losses).sum(0)), torch.cat(outputs)

    def _piece(self, batch: Batch, part: Part, last: bool) -> tuple[Tensor, Tensor]:
        share = len(batch) / part.of if part.size else 0.0
        if self.world.size == 1:
            return self._backward(batch, share)
        with self.world.sharing(self.model, last):
            return self._backward(batch, share)

    def _backward(self, batch: Batch, share: float) -> tuple[Tensor, Tensor]:
        loss, output = self.objective(self.model, batch)
        if share != 1:
            loss = loss * share
        # Of a loss with terms, the first is what is minimised.
        whole = loss[0] if loss.ndim else loss
        # Processes share the mean of their gradients, and it is the sum that is wanted.
        shared = whole if self.world.size == 1 else whole * self.world.size
        self.precision.scaled(shared).backward()  # type: ignore[no-untyped-call]
        return loss.detach(), output.detach()

    def within_memory(self, work: Callable[[], T]) -> T:
        """Do a piece of work; with on_oom = "halve" again, from the same state and in pieces half as
        large, each time memory runs out. What came of it is what those pieces would have given at once.

        Raises:
            TrainingError: memory runs out with the smallest pieces too (`oom`).
            SmallerPieces: several processes have to start again.
        """
        if self._saved is None:
            return work()
        before = self._state(self._saved)
        while True:
            try:
                return work()
            except Exception as error:
                if not out_of_memory(error):
                    raise
                if self.count >= self._most:
                    raise self._exhausted(error) from error
                why, smaller = first_line(error), min(2 * self.count, self._most)
                if self.world.size > 1:
                    raise SmallerPieces(f"out of memory ({why})", smaller) from error
            # Only here, where the error has let go of its traceback, are the tensors of its frames free.
            self._restore(before, self._saved)
            self.count = smaller
            tell(
                f"labtui: out of memory: going on with train.accumulate = {self.count}, pieces of "
                f"{-(-self._batch // self.count)} of {self._batch} samples ({why})"
            )

    def _state(self, saved: list[Tensor]) -> dict[str, Any]:
        for copy, buffer in zip(saved, self._buffers, strict=True):
            copy.copy_(buffer)
        return rng_state(self._device, self._generators)

    def _restore(self, before: dict[str, Any], saved: list[Tensor]) -> None:
        for parameter in self.model.parameters():
            parameter.grad = None
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        for copy, buffer in zip(saved, self._buffers, strict=True):
            buffer.copy_(copy)
        set_rng_state(before, self._device, self._generators)

    def _exhausted(self, error: BaseException) -> TrainingError:
        return TrainingError(
            "oom",
            f"out of memory with train.batch_size = {self.table.batch_size} in {self.count} pieces of "
            f"{self._least}: no smaller ones can be had; the model or its input has to be smaller, or "
            f"the memory larger ({first_line(error)})",
        )
