"""What the queue looks like to a person: the order of starting, and what each run waits for."""

from __future__ import annotations

from collections.abc import Sequence

from labtui.errors import LaunchError
from labtui.files.paths import LabPaths, RunPaths
from labtui.launch import machine, queue, slots
from labtui.launch.queue import Request


def outlook(
    lab: LabPaths, waiting: Sequence[RunPaths], running: Sequence[slots.Running]
) -> list[tuple[RunPaths, Request | None, str]]:
    """Queued runs in the order of starting, each with what keeps it; "" for those that start now.

    Args:
        waiting: the queued runs.
        running: the runs that take places.

    Raises:
        LabError: the settings are wrong.
    """
    found: list[Request] = []
    strange: list[tuple[RunPaths, Request | None, str]] = []
    for paths in waiting:
        try:
            request = queue.request_of(paths)
        except LaunchError as error:
            strange.append((paths, None, str(error)))
            continue
        if request is None:
            strange.append((paths, None, queue.elsewhere(paths)))
        else:
            found.append(request)
    found.sort(key=lambda request: request.place)
    blocked = queue.waits_for(lab, found)
    whys = [queue.in_slurm(r.paths) or why for r, why in zip(found, blocked, strict=True)]
    ready = [r for r, why in zip(found, whys, strict=True) if not why and not r.on_slurm]
    places = slots.plan([request.need for request in ready], machine.look(lab.root, running))
    room = {r.paths.id: _why(p) for r, p in zip(ready, places, strict=True)}
    lines = [(r.paths, r, why or room.get(r.paths.id, "")) for r, why in zip(found, whys, strict=True)]
    return [*lines, *strange]


def _why(place: slots.Place | slots.Never | str) -> str:
    if isinstance(place, slots.Never):
        return place.message
    return place if isinstance(place, str) else ""
