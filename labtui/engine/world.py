"""The processes that train one model together, as the training sees them.

Every process holds all the data, draws the same order and the same augmentation of whole batches, and
works on its own part of each batch; torch's DistributedDataParallel averages the gradients. With each
part's loss weighted by its samples that is the gradient of the whole batch, so that the loss curve is
that of one process, to float tolerance. Only these depend on how many processes there are:

- dropout and other draws from the global generators: each process has its own;
- BatchNorm on CPUs: mean and variance are those of a process's part, and the running ones those of the
  first process. On GPUs it becomes SyncBatchNorm, which sees the whole batch.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from labtui.engine.rng import seed_all
from labtui.errors import TrainingError
from labtui.recipe.resources import Resources

WRITE = "write"
"""The word for: write a checkpoint now."""
_WORDS = (None, WRITE, "stop", "kill")
"""What processes can agree on; of several the last counts."""
_PACE, _MOST_STEPS = 0.02, 16
"""Seconds, and steps, between two agreements at most."""
_PATIENCE = timedelta(hours=2)
"""How long the others wait while one process does something alone, such as writing a large checkpoint.
A process that has died is noticed at once, by its connection."""
_STRIDE = 0x9E3779B97F4A7C15
"""Far apart, so that no process has the seed of another repeat."""


@dataclass(frozen=True)
class Part:
    """One process's part of a batch (or split) of samples."""

    begin: int
    end: int
    of: int
    """Samples of the whole."""

    @property
    def own(self) -> slice:
        """Its samples; there may be none."""
        return slice(self.begin, self.end)

    @property
    def size(self) -> int:
        """How many they are."""
        return self.end - self.begin

    @property
    def fed(self) -> slice:
        """What the model gets. A process without samples of its own gets two of others', which do not
        count: it has to take part in what all do together."""
        return self.own if self.size else slice(0, 2)


class World:
    """A process on its own: there is nobody to agree with."""

    rank, size = 0, 1

    def part(self, samples: int, least: int = 1) -> Part:
        """This process's part of so many samples; parts hold at least `least`, or nothing."""
        taking = max(1, min(self.size, samples // least))
        rank = min(self.rank, taking)
        return Part(samples * rank // taking, samples * min(rank + 1, taking) // taking, samples)

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model as training steps use it, so that processes share their gradients."""
        return model

    def sharing(self, model: nn.Module, yes: bool) -> AbstractContextManager[None]:
        """Whether gradients are shared in a backward pass inside; forward belongs inside too."""
        return nullcontext()

    def align(self, model: nn.Module) -> None:
        """Give all the first one's buffers: running statistics may differ."""

    def total(self, value: Tensor) -> Tensor:
        """The sum of all processes' tensors, the same on each."""
        return value

    def gather(self, value: Any) -> list[Any]:
        """What each has; tensors come on the CPU, unless the process is alone."""
        return [value]

    def agree(self, word: str | None) -> str | None:
        """What all do after this step: the strongest word that any process has. It may be told a few
        steps late; whoever has a word says it again until then."""
        return word

    def first(self, yes: bool) -> bool:
        """What the first process says."""
        return yes

    def wait(self) -> None:
        """Wait until all are here."""

    def disperse(self, seed: int) -> None:
        """Give each but the first a seed of its own for the global generators."""


ALONE = World()


class Several(World):
    """One of several processes, which torch's launcher started (`labtui.engine.parallel`)."""

    def __init__(self, unused: bool = False) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self._unused = unused
        self._every, self._left, self._agreed = 1, 1, time.monotonic()

    def wrap(self, model: nn.Module) -> nn.Module:
        if next(model.parameters()).device.type == "cuda":
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
        # Dimensions of one element have any stride, which does no harm.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        return DistributedDataParallel(model, find_unused_parameters=self._unused)

    def sharing(self, model: nn.Module, yes: bool) -> AbstractContextManager[None]:
        assert isinstance(model, DistributedDataParallel)
        return nullcontext() if yes else model.no_sync()

    def align(self, model: nn.Module) -> None:
        for buffer in model.buffers():
            dist.broadcast(buffer, 0)

    def total(self, value: Tensor) -> Tensor:
        dist.all_reduce(value)
        return value

    def gather(self, value: Any) -> list[Any]:
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, _on_cpu(value))
        return found

    def agree(self, word: str | None) -> str | None:
        self._left -= 1
        if self._left:
            return None
        now = time.monotonic()
        pace = max(1e-6, (now - self._agreed) / self._every)
        # When to agree next is the first one's word too, or they would wait for each other.
        every = max(1, min(_MOST_STEPS, int(_PACE / pace))) if self.rank == 0 else 0
        said = torch.tensor([_WORDS.index(word), every])
        dist.all_reduce(said, dist.ReduceOp.MAX)
        word, self._every = _WORDS[said[0]], int(said[1])
        self._left, self._agreed = self._every, now
        return word

    def first(self, yes: bool) -> bool:
        said = torch.tensor(yes)
        dist.broadcast(said, 0)
        return bool(said)

    def wait(self) -> None:
        self.gather(None)

    def disperse(self, seed: int) -> None:
        if self.rank:
            seed_all((seed + self.rank * _STRIDE) % 2**63)


@contextmanager
def joined(resources: Resources) -> Iterator[World]:
    """The world of this process, which torch's launcher started; left at the end, not after errors.

    Raises:
        TrainingError: there is no GPU for this process.
    """
    cuda = resources.on_gpus and torch.cuda.is_available()
    if cuda:
        local, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= there:
            raise TrainingError(
                "launch",
                f"resources.gpus = {resources.gpus}, but torch finds {there} CUDA devices: lower it to that",
            )
        torch.cuda.set_device(local)
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=_PATIENCE)
    world = Several(resources.unused_parameters)
    yield world
    world.wait()
    dist.destroy_process_group()


def lost(error: BaseException) -> bool:
    """Whether an error only says that another process is gone, or does not answer."""
    text = str(error)
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and ("/gloo/" in text or "Connection closed by peer" in text)
    )


def _on_cpu(value: Any) -> Any:
    """Tensors at any depth on the CPU: on a device they would arrive on that of the sender."""
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, Mapping):
        return {key: _on_cpu(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_on_cpu(one) for one in value)
    return value
