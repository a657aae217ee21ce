"""Simulated videos of hand gestures, in the files that `labtui.data.gestures` reads.

A hand (a palm and five fingers) moves before a cluttered wall. Strokes have the speed of a hand that
moves with minimum jerk: Flash and Hogan, "The coordination of arm movements: an experimentally confirmed
mathematical model", J. Neurosci. 5(7), 1688-1703, 1985. For Left, Right, Down and Up it goes that way
across the picture; for Stop it is held towards the camera and comes nearer. Where and when a stroke begins
is random, so that no single image tells the gesture. A shape of another colour drifts through the picture,
the light flickers, and the camera adds noise; sizes, colours and amounts of these are made up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from labtui.data.simulated import begin
from labtui.errors import DataError

Values = NDArray[np.floating[Any]]

RATE = 12.0
"""Images a second."""
HEIGHT, WIDTH = 60, 80
"""Pixels of an image: half of the notebook's smaller ones each way."""
VIDEOS = {"train": 663, "val": 100}
"""As many as the notebook has."""
WAYS = {"Left": (0, -1), "Right": (0, 1), "Stop": (0, 0), "Down": (1, 0), "Up": (-1, 0)}
"""Gesture to its direction, down and right being positive, in the order of their labels."""

# Lengths below are in heights of the picture.
STROKE, PALM, NEARER = (0.3, 0.5), (0.09, 0.14), (1.3, 1.7)
"""How far a stroke goes, the palm's radius, and how much larger a hand gets that comes nearer."""
FINGERS = ((-1.5, -0.6), (-0.7, -1.9), (-0.1, -2.1), (0.5, -1.9), (1.0, -1.5))
"""Right and down of the palm's middle to each finger's tip, in radii of the palm; first the thumb."""
FINGER, TREMOR, DRIFT, FLICKER, NOISE = 0.25, 0.004, 0.12, 0.02, 5.0
"""A finger's radius in the palm's; tremor (deviation); speed of what drifts (a second); deviation of the
light (share), and of the noise (grey values)."""
CLUTTER = 14
"""Shapes on the wall."""


def make(
    out: Path,
    seed: int = 0,
    seconds: float = 2.5,
    videos: dict[str, int] | None = None,
    clutter: int = CLUTTER,
) -> list[Path]:
    """Write train.csv, val.csv and a folder of PNG images for each of their rows.

    Args:
        out: folder for them; made if absent.
        seed: the same seed writes the same images.
        seconds: length of a video; 2.5 s are 30 images.
        videos: how many of each part; classes take turns.
        clutter: shapes on the wall; the fewer, the easier to learn.

    Raises:
        DataError: the folder already holds such tables, or a video would have no image.
    """
    images = round(seconds * RATE)
    if not 1 <= images <= 10_000:
        raise DataError(f"seconds = {seconds}: a video has 1 to 10,000 images at {RATE:g} a second")
    begin(out, seed, *VIDEOS, *(f"{part}.csv" for part in VIDEOS))
    written: list[Path] = []
    for part, count in (videos or VIDEOS).items():
        table, rows = out / f"{part}.csv", []
        for number in range(count):
            label = number % len(WAYS)
            name = list(WAYS)[label]
            # The seed of a video, whatever others there are.
            rng = np.random.default_rng([seed, list(VIDEOS).index(part), number])
            folder = out / part / f"SIM_{number + 1:05d}_{name}"
            written += _save(folder, film(name, images, rng, clutter))
            rows.append(f"{folder.name};{name};{label}\n")
        table.write_text("".join(rows), encoding="utf-8")
        written.append(table)
    return written


def _save(folder: Path, images: NDArray[np.uint8]) -> list[Path]:
    folder.mkdir(parents=True)
    told = PngInfo()
    told.add_text("Software", "labtui: minimum-jerk strokes of Flash and Hogan 1985")
    paths = [folder / f"{folder.name}_{k:05d}.png" for k in range(1, len(images) + 1)]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path, pnginfo=told, compress_level=1)
    return paths


def film(gesture: str, images: int, rng: np.random.Generator, clutter: int = CLUTTER) -> NDArray[np.uint8]:
    """A video of a gesture, (images, 60, 80, 3)."""
    down, right = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32) / HEIGHT
    here = np.stack([down, right])[:, None]
    stroke = _stroke(images, rng)
    picture: Values = np.broadcast_to(_wall(down, right, clutter, rng), (images, HEIGHT, WIDTH, 3))
    picture = _lay(picture, _drifting(here, images, rng), rng.uniform(40, 215, 3))
    way = np.array(WAYS[gesture])
    middle = np.array([rng.uniform(0.4, 0.7), rng.uniform(0.45, WIDTH / HEIGHT - 0.45)])
    where = middle + (stroke[:, None] - 0.5) * rng.uniform(*STROKE) * way
    where = where + rng.normal(0, TREMOR, where.shape)
    radius = rng.uniform(*PALM) * (1 + (rng.uniform(*NEARER) - 1) * stroke * (gesture == "Stop"))
    skin = np.array([220, 170, 140]) * rng.uniform(0.5, 1.1)
    picture = _lay(picture, _hand(here, where, radius * np.ones(images)), skin)
    light = 1 + FLICKER * rng.standard_normal((images, 1, 1, 1), np.float32)
    noisy: Values = picture * light + NOISE * rng.standard_normal(picture.shape, np.float32)
    return noisy.round().clip(0, 255).astype(np.uint8)


def _stroke(images: int, rng: np.random.Generator) -> Values:
    """How far a stroke has come in each image, from 0 to 1: at rest, with minimum jerk, at rest."""
    begin, takes = rng.uniform(0.05, 0.3), rng.uniform(0.4, 0.65)
    time = ((np.linspace(0, 1, images) - begin) / takes).clip(0, 1)
    come: Values = 10 * time**3 - 15 * time**4 + 6 * time**5
    return come


def _wall(down: Values, right: Values, clutter: int, rng: np.random.Generator) -> Values:
    """Rectangles and ellipses of random colours over one another, (60, 80, 3)."""
    wall: Values = np.full((HEIGHT, WIDTH, 3), rng.uniform(60, 200, 3), np.float32)
    for _ in range(clutter):
        y, x = (down - rng.uniform(0, 1)), (right - rng.uniform(0, WIDTH / HEIGHT))
        y, x = y / rng.uniform(0.05, 0.3), x / rng.uniform(0.05, 0.3)
        inside = np.maximum(abs(y), abs(x)) < 1 if rng.random() < 0.5 else y**2 + x**2 < 1
        wall = _lay(wall, inside.astype(np.float32), rng.uniform(30, 225, 3))
    return wall


def _drifting(here: Values, images: int, rng: np.random.Generator) -> Values:
    """Where a disc or square is that goes slowly in any direction: (images, 60, 80) of 0 to 1."""
    angle, size = rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.14)
    time = np.arange(images)[:, None] / RATE
    where = rng.uniform(0, 1, 2) * (1, WIDTH / HEIGHT) + DRIFT * time * (np.sin(angle), np.cos(angle))
    y, x = here - where.astype(np.float32).T[:, :, None, None]
    distance = np.hypot(y, x) if rng.random() < 0.5 else np.maximum(abs(y), abs(x))
    return _cover(distance - size)


def _hand(here: Values, where: Values, radius: Values) -> Values:
    """Where a hand is whose palm's middle is at `where` (images, 2): (images, 60, 80) of 0 to 1."""
    size = radius.astype(np.float32)[:, None, None]
    y, x = (here - where.astype(np.float32).T[:, :, None, None]) / size
    fingers = np.full_like(x, np.inf)
    for right, down in FINGERS:
        # squared distance to the line from the palm's middle to the finger's tip
        along = ((x * right + y * down) / (right**2 + down**2)).clip(0, 1)
        fingers = np.minimum(fingers, (x - along * right) ** 2 + (y - along * down) ** 2)
    return _cover(np.minimum(np.sqrt(x**2 + y**2) - 1, np.sqrt(fingers) - FINGER) * size)


def _cover(distance: Values) -> Values:
    """Share of each pixel that lies within a shape, from its middle's distance to the edge (heights)."""
    share: Values = (0.5 - distance * HEIGHT).clip(0, 1).astype(np.float32)
    return share


def _lay(picture: Values, share: Values, colour: NDArray[np.float64]) -> Values:
    """Put a shape over a picture (…, 3)."""
    over: Values = picture + share[..., None] * (colour.astype(np.float32) - picture)
    return over
