"""Which queued runs start in one process: those of one stack, mostly none.

A run whose recipe belongs to a stack (`origin.stack`) starts together with those of its stack that are
ready too. Whether that is possible and worth it, the first such process finds out; until it has said
so the others wait, and where it says no each starts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtui import run
from labtui.files.paths import RUN_ID, LabPaths
from labtui.launch import control, slots
from labtui.launch.attempt import Attempt
from labtui.launch.queue import Request
from labtui.launch.slots import GB, Machine, Need, Place

if TYPE_CHECKING:
    from labtui.sweep.stack import Decision

MOST = 64
"""Most runs of one process."""


@dataclass(frozen=True)
class Stack:
    """What runs have in common that may start together."""

    sweep: str
    key: str
    python: str
    code: bytes
    """What tells their code from other code."""
    need: Need
    measured: bool
    """Whether they are only to be together where that was measured to be faster."""


@dataclass(frozen=True)
class Group:
    """Queued runs that one process is to work on, mostly one."""

    requests: tuple[Request, ...]
    need: Need
    """What they need of the machine, all together."""
    stack: Stack | None = None
    slots: int = 0
    """How many of them would be trained at once, apart, which is to be measured; 0: nothing is."""


def form(
    requests: Sequence[Request],
    machine: Machine,
    stack_of: Callable[[Request], Stack | None],
    decided: Callable[[Stack], Decision | None],
    deciding: Collection[str],
) -> list[Group]:
    """Groups of runs that can start, in the order of their first one; runs that wait for a decision are left out.

    Args:
        stack_of: what a run may start together with; None: it starts alone.
        decided: what is known of a stack.
        deciding: keys of stacks of which a process is at work.
    """
    stacks: dict[Stack | str, list[Request]] = {}
    for request in requests:
        stacks.setdefault(stack_of(request) or request.paths.id, []).append(request)
    found = []
    for stack, members in stacks.items():
        if isinstance(stack, str):
            found += [Group((one,), one.need) for one in members]
        else:
            found += _of(stack, members, machine, decided(stack), stack.key in deciding)
    return sorted(found, key=lambda group: group.requests[0].place)


def _of(
    stack: Stack, members: Sequence[Request], machine: Machine, decision: Decision | None, deciding: bool
) -> Iterator[Group]:
    """The groups of one stack."""
    at_once = max(1, _at_once([stack.need] * len(members), machine)) if stack.measured else 0
    # Where each has a place of its own, nothing is faster.
    alone = at_once == len(members) or (decision and not decision.together)
    most = 1 if alone else _most(stack.need, machine)
    if decision is None and most > 1 < len(members):
        if deciding:
            return
        members = members[:most]
    for at in range(0, len(members), most):
        some = tuple(members[at : at + most])
        if len(some) == 1:
            yield Group(some, stack.need)
        else:
            memory = stack.need.gpu_memory and stack.need.gpu_memory * len(some)
            unknown = decision is None
            yield Group(some, replace(stack.need, gpu_memory=memory), stack, at_once if unknown else 0)


def _at_once(needs: Sequence[Need], machine: Machine) -> int:
    """How many runs this machine could work on at once, if it had nothing else to do."""
    return sum(isinstance(place, Place) for place in slots.plan(needs, replace(machine, taken=())))


def _most(need: Need, machine: Machine) -> int:
    """How many runs one process may have: each takes its own memory of the GPU."""
    if not need.gpu_memory or not machine.gpus:
        return MOST
    largest = max(gpu.memory_total for gpu in machine.gpus)
    return max(1, min(MOST, int(largest // (need.gpu_memory * GB))))


def stack_of(request: Request) -> Stack | None:
    """The stack of a queued run; None: it has none."""
    origin: Any = request.tables.get("origin")
    if not isinstance(origin, dict) or request.on_slurm:
        return None
    key, sweep = origin.get("stack"), origin.get("sweep")
    # They become names of files, and anybody may have written them.
    if not isinstance(key, str) or not key.isalnum() or not RUN_ID.fullmatch(str(sweep)):
        return None
    code = _bytes(request.paths.snapshot)
    return Stack(str(sweep), key, request.python, code, request.need, origin.get("together") == "auto")


def decisions(lab: LabPaths) -> Callable[[Stack], Decision | None]:
    """What is known of stacks now."""
    from labtui.sweep.stack import decided

    @cache
    def decision(sweep: str, key: str) -> Decision | None:
        return decided(lab.sweep(sweep), key)

    return lambda stack: decision(stack.sweep, stack.key)


def why_alone(lab: LabPaths, attempt: Attempt) -> str:
    """Ask anew for a run whose process could not work on all that it was started for; why it then starts
    alone, or empty: it does not.

    Raises:
        LabtuiError: it cannot be asked for.
    """
    from labtui.sweep import stack

    origin = run.recipe_of(attempt.paths).get("origin") or {}
    sweep = lab.sweep(str(origin.get("sweep", "")))
    if attempt.apart:
        decision = stack.decided(sweep, attempt.stack)
        return decision.why if decision and not decision.together else f"see {attempt.paths.log}"
    status = run.derive(attempt.paths)
    if status.state != "failed" or status.reason != "oom":
        return ""
    why = "memory ran out with all of them"
    stack.decide(sweep, attempt.stack, stack.Decision(False, why))
    control.resume(attempt.paths, same=True)
    return why


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
