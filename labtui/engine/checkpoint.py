"""What survives: weights and all that a resume needs, in files that are whole or absent.

`best.pt` (and `best-<metric>.pt`) hold the weights of the best epoch, `epoch-NNNNN.pt` those of one
epoch, files named by `checkpoints.name` those of each epoch that was the best so far, and `last.pt` the
whole state of the training. A best state waits in memory until `last.pt` is written and goes to disk just
before it, so that `last.pt` never speaks of a best that is not there.
"""

from __future__ import annotations

import errno
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from labtui.errors import LabError, TrainingError
from labtui.files.atomic import DISK_FULL, replacing

FORMAT = 1
RATE = 20
"""Writing takes at most one part in so many of the time, whatever the interval says."""


class Checkpoints:
    """The checkpoints of one run.

    Args:
        folder: where they lie; made when it is missing.
        interval: least seconds between two writes; 0: each epoch.
        writes: whether this process writes them; where several train one model, one does.
    """

    def __init__(self, folder: Path, interval: float, writes: bool = True) -> None:
        self.folder, self.interval, self.writes = folder, interval, writes
        self._waiting: dict[str, dict[str, Any]] = {}
        self._next = time.monotonic() + interval

    def keep(self, name: str, model: nn.Module, facts: Mapping[str, Any]) -> None:
        """Remember the weights as they are now, to be written as `<name>.pt` before `last.pt`."""
        if not self.writes:
            return
        weights = {key: value.detach().clone() for key, value in model.state_dict().items()}
        self._waiting[name] = {"model": weights, **facts}

    def put(self, name: str, model: nn.Module, facts: Mapping[str, Any]) -> None:
        """Write the weights as they are now as `<name>.pt`, at once.

        Raises:
            TrainingError: as `write`.
        """
        if self.writes:
            self._save(name, {"model": model.state_dict(), **facts})

    def put_epoch(self, model: nn.Module, facts: Mapping[str, Any], keep: int | None) -> None:
        """Write the weights as they are now as `epoch-NNNNN.pt`, at once.

        Args:
            facts: `epoch` and `step`.
            keep: how many of them stay, this one included; None: all.

        Raises:
            TrainingError: as `write`; the older ones are still there then.
        """
        if not self.writes:
            return
        number = facts["epoch"]
        self.put(f"epoch-{number:05d}", model, facts)
        if keep is not None:
            # A resumed training may find some that are ahead of it: they are not counted.
            older = {
                int(path.stem[6:]): path for path in self.folder.glob("epoch-*.pt") if path.stem[6:].isdigit()
            }
            for old in sorted(n for n in older if n <= number)[:-keep]:
                older[old].unlink(missing_ok=True)

    def due(self) -> bool:
        """Whether it is time to write, at the end of an epoch."""
        return time.monotonic() >= self._next

    def due_within_epoch(self) -> bool:
        """Whether it is time to write, at a step inside an epoch."""
        return self.writes and self.interval > 0 and time.monotonic() >= self._next

    def write(self, state: Mapping[str, Any]) -> None:
        """Write what waits, then `last.pt`.

        Raises:
            TrainingError: the disk is full (`disk-full`); the checkpoints before are still there.
        """
        if not self.writes:
            return
        begun = time.monotonic()
        self.flush()
        self._save("last", state)
        now = time.monotonic()
        self._next = now + max(self.interval, RATE * (now - begun) if self.interval else 0)

    def flush(self) -> None:
        """Write what waits, and leave `last.pt` as it is.

        Raises:
            TrainingError: as `write`.
        """
        for name in list(self._waiting):
            self._save(name, self._waiting[name])
            del self._waiting[name]

    def _save(self, name: str, state: Mapping[str, Any]) -> None:
        path = self.folder / f"{name}.pt"
        # Serialised in memory first: torch turns a write error inside its archive into another one.
        buffer = io.BytesIO()
        torch.save({"format": FORMAT, **state}, buffer)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with replacing(path) as file:
                file.write(buffer.getbuffer())
        except OSError as error:
            if error.errno in (*DISK_FULL, errno.EFBIG):
                raise TrainingError(
                    "disk-full",
                    f"{path} ({buffer.tell() / 1e6:.1f} MB) cannot be written: {error.strerror}. "
                    "The checkpoint before it and all metrics are kept; free some space and resume",
                ) from error
            raise

    def load(self, name: str) -> dict[str, Any] | None:
        """The state in `<name>.pt`, on the CPU; None if there is no such file.

        Raises:
            LabError: it is broken, or of another format.
        """
        path = self.folder / f"{name}.pt"
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None
        except Exception as error:  # torch raises almost anything, by where a file is broken
            raise LabError(f"{path}: not a readable checkpoint ({error}); remove it") from error
        if state.get("format") != FORMAT:
            raise LabError(f"{path}: format {state.get('format')}, expected {FORMAT}; remove it")
        return state
