"""Where on this machine each queued run may start: pure placing, without a look at anything.

GPU runs take GPUs, whole ones or parts; CPU runs take cores; neither waits for the other. The queue
is served in its order: what an earlier run of the same kind waits for is kept for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from labtui.errors import LaunchError
from labtui.gpus import Gpu

GB = 10**9
WHOLE = 10**6
"""Parts of a GPU: whole numbers, so that three thirds fit."""
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Need:
    """What a run needs of a machine: the recipe's `[resources]`, whose words these are."""

    gpus: int | None = None
    gpu_share: float | None = None
    gpu_memory: float | None = None
    """GB (10⁹ bytes)."""
    threads: int | None = None
    processes: int | None = None

    @classmethod
    def of(cls, resources: Mapping[str, Any]) -> Need:
        """The need in a resolved recipe's `[resources]`.

        Raises:
            LaunchError: somebody put something else than numbers there.
        """
        given = {field.name: resources.get(field.name) for field in fields(cls)}
        for key, value in given.items():
            kinds = (int, float) if key in ("gpu_share", "gpu_memory") else (int,)
            least, most = 0 if key == "gpus" else 1e-9, 1 if key == "gpu_share" else 2**31
            if value is not None and (type(value) not in kinds or not least <= value <= most):
                raise LaunchError(f"resources.{key} = {value!r}: expected a number from {least:g} to {most}")
        return cls(**given)

    def part_of(self, gpu: Gpu) -> tuple[int, int]:
        """What it takes of one GPU: parts of `WHOLE`, and bytes. What is not said is in proportion
        to what is; without both it takes all."""
        share = max(1, int(self.gpu_share * WHOLE)) if self.gpu_share else None
        memory = int(self.gpu_memory * GB) if self.gpu_memory else None
        if share is None:
            share = WHOLE if memory is None else max(1, memory * WHOLE // max(1, gpu.memory_total))
        if memory is None:
            memory = gpu.memory_total * share // WHOLE
        return share, memory


@dataclass(frozen=True)
class Place:
    """What a run is given."""

    gpus: Sequence[int] = ()
    """Indices."""
    cores: int = 0
    """Cores that a CPU run takes from the others; a GPU run takes none."""
    threads: int = 1
    """CPU threads of each process."""

    def environment(self) -> dict[str, str]:
        """The variables that hold a worker to its place."""
        devices = {
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the order in which NVML counts
            "CUDA_VISIBLE_DEVICES": ",".join(map(str, self.gpus)),
        }
        return devices | dict.fromkeys(_THREADS, str(self.threads))

    def __str__(self) -> str:
        if self.gpus:
            return f"GPU {', '.join(map(str, self.gpus))}"
        return "1 core" if self.cores == 1 else f"{self.cores} cores"


@dataclass(frozen=True)
class Never:
    """Why a run can never start on this machine."""

    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Running:
    """A run that has its place."""

    place: Place
    need: Need
    pid: int | None = None
    """Its worker, which may be that of others too; None as long as that is not known."""


@dataclass(frozen=True)
class Machine:
    """What labtui may use of a machine, and who uses it."""

    gpus: tuple[Gpu, ...]
    cores: int
    """CPU cores for runs without GPUs, from 1 on."""
    threads: int
    """Threads of such a run that does not say."""
    taken: tuple[Running, ...] = ()
    owners: Mapping[int, int | None] | None = None
    """Whose the processes on the GPUs are, as `labtui.gpus.owners` says it."""
    problem: str = ""
    """Why GPUs are missing that may come back."""

    def occupied(self) -> dict[int, str]:
        """GPUs that are left alone, and why: somebody else works there."""
        found = {}
        for gpu in self.gpus:
            ours = [run.pid for run in self.taken if gpu.index in run.place.gpus]
            if why := gpu.barred or _foreign(gpu, ours, self.owners or {}):
                found[gpu.index] = why
        return found


def _foreign(gpu: Gpu, ours: list[int | None], owners: Mapping[int, int | None]) -> str:
    """Who else than our runs is on a GPU; empty: nobody."""
    for pid, _ in gpu.processes:
        # What cannot be seen (containers) is ours where one of ours is, and somebody's elsewhere.
        if owners[pid] not in ours if pid in owners else not ours:
            return f"is used by another process ({pid})"
    # Drivers and desktops take some memory without anybody computing.
    if not ours and gpu.memory_used > gpu.memory_total // 20 + GB // 2:
        return "has memory in use by others"
    return ""


def plan(queue: Iterable[Need], machine: Machine) -> list[Place | str | Never]:
    """Places for as many runs as fit now, the first in the queue first; of each other one, why not now
    or why never.

    A run that has to wait keeps back what it waits for: cores, or the GPUs that are the nearest to
    being free, so that no smaller run behind it gets in its way for ever. It keeps back nothing
    where our own runs are not what it waits for.
    """
    free = _Free(machine)
    refused: dict[Need, str | Never] = {}
    answers: list[Place | str | Never] = []
    for need in queue:
        # Free room only shrinks here, so that an equal need is refused for the same reason.
        answer = refused.get(need) or free.find(need)
        if isinstance(answer, Place):
            free.take(answer, need)
        else:
            refused[need] = answer
            if isinstance(answer, str):
                free.keep(need)
        answers.append(answer)
    return answers


class _Free:
    """What is left of a machine while a queue is placed."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.gpus = {gpu.index: gpu for gpu in machine.gpus}
        self.occupied = machine.occupied()
        self.memories = sorted((gpu.memory_total for gpu in machine.gpus), reverse=True)
        self.loads = {index: (0, 0) for index in self.gpus}
        self.kept: set[int] = set()
        self.cores = machine.cores
        for run in machine.taken:
            self.take(run.place, run.need)

    def take(self, place: Place, need: Need) -> None:
        """Give a place away."""
        self.cores -= place.cores
        for index in place.gpus:
            if index in self.gpus:
                share, memory = need.part_of(self.gpus[index])
                self.loads[index] = (self.loads[index][0] + share, self.loads[index][1] + memory)

    def find(self, need: Need) -> Place | str | Never:
        """A place for one run."""
        count = self._count(need)
        if not count:
            return self._on_cores(need)
        if why := self._never(need, count):
            return Never(why)
        fits = [gpu for gpu in self._open() if self._fits(need, gpu)]
        if len(fits) < count:
            return self._waits(need, count, len(fits))
        # The fullest first, so that whole ones stay free; then where the least memory is used.
        fits.sort(key=lambda gpu: (-self._filled(gpu), gpu.memory_used, gpu.index))
        chosen = fits[:count]
        share = need.part_of(chosen[0])[0]
        threads = need.threads or self.machine.cores * share // (WHOLE * len(self.gpus)) or 1
        return Place(tuple(sorted(gpu.index for gpu in chosen)), threads=threads)

    def keep(self, need: Need) -> None:
        """Keep back what a waiting run needs: later ones do not get it."""
        count = self._count(need)
        if not count:
            self.cores = min(self.cores, 0)
        elif len(self.kept) + len(self.occupied) < len(self.gpus):
            able = [gpu for gpu in self.gpus.values() if gpu.index not in self.occupied]
            able = [gpu for gpu in able if (need.gpu_memory or 0) * GB <= gpu.memory_total]
            if len(able) >= count:
                able = [gpu for gpu in able if gpu.index not in self.kept]
                able.sort(key=lambda gpu: (self._filled(gpu), gpu.memory_used, gpu.index))
                self.kept |= {gpu.index for gpu in able[:count]}

    def _count(self, need: Need) -> int:
        """How many GPUs a run needs: one, if there is one, where it does not say."""
        if need.gpus is not None:
            return need.gpus
        return 0 if need.processes or not (self.gpus or self.machine.problem) else 1

    def _never(self, need: Need, count: int) -> str:
        if self.machine.problem:
            return ""
        usable = len(self.gpus)
        if count > usable:
            return f"needs {_gpus(count)}, and labtui may use {usable or 'none'} here; see `labtui gpus`"
        if need.gpu_memory and need.gpu_memory * GB > self.memories[count - 1]:
            wanted = f"needs {_gpus(count)} with {need.gpu_memory:g} GB"
            return f"{wanted}, and the largest here have {self.memories[0] / GB:.3g} GB"
        return ""

    def _open(self) -> list[Gpu]:
        closed = self.kept.union(self.occupied)
        return [gpu for index, gpu in self.gpus.items() if index not in closed]

    def _fits(self, need: Need, gpu: Gpu) -> bool:
        share, memory = need.part_of(gpu)
        load = self.loads[gpu.index]
        return load[0] + share <= WHOLE and load[1] + memory <= gpu.memory_total

    def _filled(self, gpu: Gpu) -> float:
        share, memory = self.loads[gpu.index]
        return max(share / WHOLE, memory / max(1, gpu.memory_total))

    def _waits(self, need: Need, count: int, fits: int) -> str:
        what = "room on " if need.gpu_share or need.gpu_memory else ""
        why = f"waits for {what}{_gpus(count)}: {fits} of {len(self.gpus)} free"
        if self.kept:
            why += ", earlier runs come first"
        for index, reason in self.occupied.items():
            why += f"; GPU {index} {reason}"
        return f"{why}; {self.machine.problem}" if self.machine.problem else why

    def _on_cores(self, need: Need) -> Place | str:
        """A place for a run without GPUs; one that wants more cores than there are gets all."""
        cores, processes = self.machine.cores, need.processes or 1
        threads = need.threads or max(1, min(self.machine.threads, cores // processes))
        wanted = min(threads * processes, cores)
        if wanted <= self.cores:
            return Place(cores=wanted, threads=threads)
        return f"waits for {wanted} of {cores} CPU cores: {max(0, self.cores)} free"


def _gpus(count: int) -> str:
    return "a GPU" if count == 1 else f"{count} GPUs"
