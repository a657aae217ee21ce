"""The machine's GPUs as NVML, NVIDIA's management library, sees them; the one module that opens it.

`CUDA_VISIBLE_DEVICES` of this process restricts what is seen, as it does for CUDA. Where
`LABTUI_GPU_INVENTORY` names a file, that file is the machine: a JSON list of objects with the fields
of `Gpu`, of which `index` and `memory_total` have to be there; `processes` is a list of
`[pid, bytes or null]`. That is for tests, and for trying things without GPUs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from labtui.files import process

T = TypeVar("T")


@dataclass(frozen=True)
class Gpu:
    """One GPU at one moment."""

    index: int
    """Its number in NVML, and in CUDA under `CUDA_DEVICE_ORDER=PCI_BUS_ID`."""
    memory_total: int
    """Bytes; 0 where the driver does not tell."""
    memory_used: int = 0
    """Bytes, of all processes."""
    uuid: str = ""
    """`GPU-…`."""
    name: str = "GPU"
    """The product."""
    utilization: int | None = None
    """Part of the last moments in which it computed, %."""
    temperature: int | None = None
    """°C."""
    processes: tuple[tuple[int, int | None], ...] = ()
    """Pid and bytes of each process that computes and draws no screen; within a container pids of
    other containers mean nothing, or are not told."""
    barred: str = ""
    """Why no run can use it; empty: a run can."""


@dataclass(frozen=True)
class Inventory:
    """The GPUs of this machine, and what is wrong with those that are not among them."""

    gpus: tuple[Gpu, ...] = ()
    problem: str = ""
    """Why GPUs are missing; empty when none is."""
    passing: bool = False
    """Whether there are GPUs that only cannot be used now: who needs one had better wait."""


def inventory() -> Inventory:
    """All GPUs that this process may use, by index. Never raises; costs some ms a GPU, and up to
    seconds the first time in a process, where no other keeps the driver awake."""
    path = os.environ.get("LABTUI_GPU_INVENTORY")
    return _visible(_injected(path) if path else _nvml(), os.environ.get("CUDA_VISIBLE_DEVICES"))


def owners(gpus: Iterable[Gpu], workers: Collection[int]) -> dict[int, int | None]:
    """Which of our workers each process on a GPU belongs to.

    Args:
        workers: pids of the workers, each of which leads a session.

    Returns:
        For each pid a worker's, or None for a process of somebody else; a pid that cannot be seen
        from here (another container's) is left out.
    """
    found: dict[int, int | None] = {}
    for pid in {pid for gpu in gpus for pid, _ in gpu.processes}:
        with suppress(OSError):
            found[pid] = _owner(pid, workers)
    return found


def _owner(pid: int, workers: Collection[int]) -> int | None:
    session = os.getsid(pid)
    if session in workers:
        return session
    # The processes of torch's own launcher have sessions of their own.
    while pid > 1:
        if pid in workers:
            return pid
        pid = process.parent(pid)
    return None


def _injected(path: str) -> Inventory:
    """What the file at `path` says."""
    try:
        with open(path, "rb") as file:
            gpus = [_read(entry) for entry in json.load(file)]
    except OSError as error:
        return Inventory((), f"$LABTUI_GPU_INVENTORY: {path}: cannot be read ({error.strerror})", True)
    except (ValueError, TypeError, AttributeError) as error:
        return Inventory((), f"$LABTUI_GPU_INVENTORY: {path}: is no list of GPUs ({error})", True)
    return Inventory(tuple(sorted(gpus, key=lambda gpu: gpu.index)))


def _read(entry: dict[str, Any]) -> Gpu:
    processes = tuple((int(pid), size) for pid, size in entry.get("processes", ()))
    gpu = Gpu(**entry | {"processes": processes})
    if not all(isinstance(n, int) for n in (gpu.index, gpu.memory_total, gpu.memory_used)):
        raise ValueError(f"index and memory are whole numbers: {entry}")
    return gpu


def _visible(found: Inventory, named: str | None) -> Inventory:
    """What a list as in `CUDA_VISIBLE_DEVICES` (numbers, UUIDs or their beginnings) leaves."""
    if named is None:
        return found
    kept = []
    for word in filter(None, map(str.strip, named.split(","))):
        if word.startswith("MIG-"):
            problem = f"CUDA_VISIBLE_DEVICES names {word}, a part of a GPU; labtui gives out whole ones only"
            return Inventory((), problem, True)
        if word.startswith("-"):
            break  # as CUDA has it: what comes behind is not seen either
        kept += [
            gpu
            for gpu in found.gpus
            if (word.isdecimal() and int(word) == gpu.index)
            or (word.startswith("GPU-") and gpu.uuid.startswith(word))
        ]
    gpus = tuple(gpu for gpu in found.gpus if gpu in kept)
    return Inventory(gpus, found.problem, found.passing)


@cache
def _open(_pid: int) -> None:
    """Initialise NVML, once in a process, since that can take seconds."""
    import pynvml

    pynvml.nvmlInit()


def _nvml() -> Inventory:
    """What NVML says. A GPU that fails is left out, and all others are there."""
    import pynvml as nvml

    try:
        _open(os.getpid())
        count = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        if _open.cache_info().currsize:
            _open.cache_clear()  # a driver that was loaded anew wants a new beginning
            with suppress(nvml.NVMLError):
                nvml.nvmlShutdown()
        none = error.value in (nvml.NVML_ERROR_LIBRARY_NOT_FOUND, nvml.NVML_ERROR_DRIVER_NOT_LOADED)
        return Inventory((), f"NVML: {error}", passing=not none)
    gpus, problems, passing = [], [], False
    for index in range(count):
        try:
            gpus.append(_gpu(nvml, index))
        except nvml.NVMLError as error:
            problems.append(f"GPU {index}: {error}")
            passing = passing or error.value != nvml.NVML_ERROR_NO_PERMISSION
    return Inventory(tuple(gpus), "; ".join(problems), passing)


def _gpu(nvml: Any, index: int) -> Gpu:
    """One GPU.

    Raises:
        NVMLError: it is lost, or this user may not open it.
    """
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = _told(nvml, nvml.nvmlDeviceGetMemoryInfo, handle, nvml.nvmlMemory_v2)
    # Drivers before 510 count what they keep for themselves as used.
    memory = memory or _told(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
    rates = _told(nvml, nvml.nvmlDeviceGetUtilizationRates, handle)
    mig = _told(nvml, nvml.nvmlDeviceGetMigMode, handle)
    divided = mig is not None and mig[0] == nvml.NVML_DEVICE_MIG_ENABLE
    return Gpu(
        index=index,
        memory_total=memory.total if memory else 0,
        memory_used=memory.used if memory else 0,
        uuid=nvml.nvmlDeviceGetUUID(handle),
        name=nvml.nvmlDeviceGetName(handle),
        utilization=rates.gpu if rates else None,
        temperature=_told(nvml, nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
        processes=_processes(nvml, handle),
        barred="is divided (MIG mode), which labtui does not use" if divided else "",
    )


def _processes(nvml: Any, handle: Any) -> tuple[tuple[int, int | None], ...]:
    """Processes that compute. Those that draw too belong to a desktop: only their memory counts."""
    computing = _told(nvml, nvml.nvmlDeviceGetComputeRunningProcesses_v3, handle)
    if computing is None:  # a driver before 510
        computing = _told(nvml, nvml.nvmlDeviceGetComputeRunningProcesses_v2, handle)
    drawing = _told(nvml, nvml.nvmlDeviceGetGraphicsRunningProcesses_v3, handle)
    desktop = {one.pid for one in drawing or ()}
    return tuple((one.pid, one.usedGpuMemory) for one in computing or () if one.pid not in desktop)


def _told(nvml: Any, ask: Callable[..., T], *arguments: Any) -> T | None:
    """An answer of NVML; None where this GPU, driver or user has none."""
    try:
        return ask(*arguments)
    except nvml.NVMLError as error:
        silent = (
            nvml.NVML_ERROR_NOT_SUPPORTED,
            nvml.NVML_ERROR_FUNCTION_NOT_FOUND,
            nvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH,
            nvml.NVML_ERROR_INVALID_ARGUMENT,
            nvml.NVML_ERROR_NO_PERMISSION,
            nvml.NVML_ERROR_NO_DATA,
            nvml.NVML_ERROR_NOT_READY,
        )
        if error.value in silent:
            return None
        raise
