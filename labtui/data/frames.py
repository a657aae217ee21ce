"""Videos that are folders of images, decoded once into a file that all runs map into memory."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from labtui.data.mapped import mapped, room, side_by_side
from labtui.data.skip import OnError, recall, usable
from labtui.errors import DataError

FORMAT = 2
"""Counted up when the same options come to mean other values."""
IMAGES = (".png", ".jpg", ".jpeg", ".bmp")
"""Endings of files that are images."""
Listed = list[tuple[str, int, int]] | str
"""Name, size (bytes) and time (ns) of each image of a video, in order; or why it cannot be used."""
ADVICE = 'mend it, or set data.on_error = "skip"'


@dataclass(frozen=True)
class View:
    """What is taken of each video."""

    frames: int
    """Images, evenly spread from the first to the last."""
    height: int
    width: int
    fit: Literal["crop", "stretch"]
    """How an image of another shape becomes this one."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(frames, height, width, colours) of a video."""
        return self.frames, self.height, self.width, 3


@dataclass
class Index:
    """What is known of decoded videos."""

    places: list[int] = field(default_factory=list)
    """Of the decoded videos in the list of folders."""
    left_out: list[str] = field(default_factory=list)
    """What is wrong with each other one."""
    sizes: dict[str, int] = field(default_factory=dict)
    """How many videos have images of each size, as "height×width"."""
    lengths: dict[str, int] = field(default_factory=dict)
    """How many videos have so many images."""
    digests: list[str] = field(default_factory=list)
    """Of each decoded video, in order: those that hold the same have the same."""
    simulated: bool = False
    """Written by `labtui data make`."""


def load(folders: Sequence[Path], view: View, cache: Path, on_error: OnError) -> tuple[Tensor, Index]:
    """The videos that can be used, (n, frames, height, width, 3) uint8 in RGB, in the order of `folders`.

    The tensor is the file, mapped into memory privately: what is written to it stays in this process.

    Raises:
        DataError: a video cannot be used, which is named; or there is no room for the file, or no right.
    """
    listed = [_list(folder, view.frames) for folder in folders]
    if on_error == "fail":
        for one in listed:
            if isinstance(one, str):
                raise DataError(one)

    def write(file: IO[bytes]) -> dict[str, Any]:
        return asdict(_decode_all(file, cache, folders, listed, view, on_error))

    named = [FORMAT, asdict(view), [*zip(map(str, folders), listed, strict=True)]]
    values, about = mapped(cache, "videos", named, write, np.uint8)
    index = Index(**{name: value for name, value in about.items() if name != "bytes"})
    recall(index.left_out, on_error)
    if not len(values):
        raise DataError(f"{folders[0].parent}: none of {len(folders)} videos can be used")
    return values.view(-1, *view.shape), index


def _list(folder: Path, least: int) -> Listed:
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.name, status.st_size, status.st_mtime_ns)
                for entry in entries
                if entry.name.lower().endswith(IMAGES) and not entry.name.startswith(".")
                for status in [entry.stat()]
            ]
    except (OSError, ValueError) as error:  # ValueError: no name that a folder can have
        reason = getattr(error, "strerror", None) or error
        return f"{folder}: a video that is listed cannot be read ({reason}): {ADVICE}"
    if len(found) < least:
        return f"{folder}: has {len(found)} images, fewer than data.frames = {least}: {ADVICE}"
    # 10 comes after 9, also where numbers have no zeros before them
    return sorted(found, key=lambda image: _natural(image[0]))


def _natural(name: str) -> list[str | int]:
    return [int(part) if k % 2 else part for k, part in enumerate(re.split("([0-9]+)", name))]


def _decode_all(
    file: IO[bytes],
    cache: Path,
    folders: Sequence[Path],
    listed: Sequence[Listed],
    view: View,
    on_error: OnError,
) -> Index:
    """Write the videos, one after another."""
    index, images = Index(), {}
    for place, found in enumerate(listed):
        if isinstance(found, str):
            index.left_out.append(found)
        else:
            images[place] = [folders[place] / name for name, *_ in found]
    room(cache, "videos", len(images), len(images) * math.prod(view.shape))
    made = side_by_side(list(images), lambda place: _decode(images[place], view))
    for place, video in usable(made, on_error, index.left_out):
        index.places.append(place)
        file.write(video.values.data)
        index.digests.append(hashlib.blake2b(video.values.data, digest_size=12).hexdigest())
        index.simulated |= video.simulated
        for counts, kind in ((index.sizes, video.size), (index.lengths, str(len(images[place])))):
            counts[kind] = counts.get(kind, 0) + 1
    return index


@dataclass
class _Video:
    values: NDArray[np.uint8]
    """(frames, height, width, 3)"""
    size: str
    """Of the first image, as "height×width"."""
    simulated: bool


def _decode(images: list[Path], view: View) -> _Video:
    found = _Video(np.empty(view.shape, np.uint8), "", False)
    taken = np.linspace(0, len(images) - 1, view.frames).round().astype(int)
    for k, path in enumerate(images[place] for place in taken):
        try:
            with Image.open(path) as image:
                if k == 0:
                    found.size = f"{image.height}×{image.width}"
                    found.simulated = str(image.info.get("Software", "")).startswith("labtui")
                resize = ImageOps.fit if view.fit == "crop" else Image.Image.resize
                seen = resize(image.convert("RGB"), (view.width, view.height), Image.Resampling.BILINEAR)
                found.values[k] = np.asarray(seen)
        except Exception as error:  # Pillow raises almost anything, by where a file is broken
            raise DataError(
                f"{path}: not a readable image ({type(error).__name__}: {error}): {ADVICE}"
            ) from error
    return found
