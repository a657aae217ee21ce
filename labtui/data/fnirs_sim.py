"""Simulated recordings of near-infrared spectroscopy, in the files that `labtui.data.fnirs` reads.

The response of the cortex is the canonical one, a difference of two gamma functions: Glover,
"Deconvolution of impulse response in event-related BOLD fMRI", NeuroImage 9(4), 416-429, 1999. It is
convolved with the tasks; oxyhaemoglobin rises with the load (n-back: Fishburn et al., "Sensitivity of
fNIRS to cognitive state and load", Front. Hum. Neurosci. 8, 76, 2014) and deoxyhaemoglobin falls less
and later (Cui, Bray and Reiss, NeuroImage 49(4), 3039-3046, 2010). On it lie heartbeat, breathing and
Mayer waves, which all channels share (Zhang, Brown and Strangman, J. Biomed. Opt. 12(4), 044014, 2007),
a response of the skin to any task (Kirilina et al., NeuroImage 61(1), 70-81, 2012), and drifts and noise
of each channel. Where on the grid which load is seen is made up, and so is the order of the tasks; its
shares are those that the notebook's scores imply: per recording 12 rests and 2 of each other task.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labtui.data.fnirs import CHANNELS, COLUMN, LEVELS, LOADS, ROW, Task
from labtui.data.simulated import begin
from labtui.errors import DataError

Signal = NDArray[np.float64]

RATE = 10.0
"""Samples a second."""
RECORDINGS = 32
"""With their 24 tasks each they give the notebook's 640 samples."""
REST, SPREAD, PAUSE = "cr", 0.25, 10.0
"""The task between any two others; how far durations are from their mean, as a share; seconds before
the first task and after the last."""

TASKS = {**LOADS["default4"], "gng": ("off", "off", "low", "off"), "es": ("off", "low", "low", "off")}
"""Task to the load of each place in PLACES; those of the tasks without labels are made up."""
PLACES = (((1.0, 2.5),), ((2.0, 5.5),), ((1.0, 8.5),), ((3.0, 1.0), (3.0, 10.0)))
"""Rows and columns of the grid at which each construct of default4 is seen."""
WIDTH = 1.3
"""Standard deviation of a place's spread over the grid, in channels."""

RHYTHMS = {"heart": (1.1, 0.15), "breath": (0.25, 0.1), "Mayer": (0.1, 0.25)}
"""Frequency (Hz) and amplitude (µM of oxyhaemoglobin) of what all channels share."""
CORTEX, SKIN, DRIFT, NOISE = 0.5, 0.2, 0.2, 0.05
"""The responses of cortex and skin to a high load, the standard deviations of drifts and of noise (µM)."""
PERSONS = 0.35
"""Standard deviation of the logarithm of how strong somebody's response is, relative to others'."""
DEOXY, LATER = -0.35, 1.0
"""Deoxyhaemoglobin's share of the response, and how much later it comes (s)."""


def make(out: Path, seed: int = 0, seconds: float = 20.0, recordings: int = RECORDINGS) -> list[Path]:
    """Write recordings of 24 tasks each, a `.mat` and a `.csv` file for each of them.

    Args:
        out: folder for the files; made if absent.
        seed: the same seed writes the same signals.
        seconds: mean length of a task.
        recordings: how many, each of another person.

    Raises:
        DataError: the folder already holds `.mat` files, or a task would be empty.
    """
    from scipy.io import savemat

    if not 0.5 <= seconds <= 3600 or recordings < 1:
        raise DataError(
            f"seconds = {seconds}, recordings = {recordings}: a task takes half a second to an hour, and "
            "there is at least one recording"
        )
    begin(out, seed, "*.mat")
    written = []
    for number in range(1, recordings + 1):
        rng = np.random.default_rng([seed, number])
        tasks = _plan(seconds, rng)
        oxy, dxy = record(tasks, rng)
        # four digits, as the devices export them
        data = {"oxyData": oxy.round(4), "dxyData": dxy.round(4), "fs": RATE, "nch": float(CHANNELS)}
        name = f"subject{number:02d}_session1"
        told = "labtui: haemodynamic response of Glover 1999"
        savemat(out / f"{name}.mat", {"nirs_data": data, "simulator": told}, do_compression=True)
        conditions = out / f"{name}_conditions.csv"
        rows = {"": "column", "onset": "onset", "duration": "duration", "stim": "stim"}
        lines = [",".join([row, *(str(getattr(task, key)) for task in tasks)]) for row, key in rows.items()]
        conditions.write_text("\n".join(lines) + "\n", encoding="utf-8")
        written += [out / f"{name}.mat", conditions]
    return written


def _plan(seconds: float, rng: np.random.Generator) -> list[Task]:
    """The 24 tasks of a recording, one after another: each other one is rest."""
    work = rng.permutation([stim for stim in TASKS if stim != REST] * 2).tolist()
    tasks, onset = [], int(PAUSE * RATE)
    for number, stim in enumerate(
        stim for pair in zip([REST] * len(work), work, strict=True) for stim in pair
    ):
        duration = int(seconds * RATE * rng.uniform(1 - SPREAD, 1 + SPREAD))
        tasks.append(Task(f"Task{number + 1}", stim, onset, duration))
        onset += duration
    return tasks


def record(tasks: list[Task], rng: np.random.Generator) -> tuple[Signal, Signal]:
    """Oxy- and deoxyhaemoglobin while somebody does the tasks: two of (samples, 52), in µM."""
    samples = tasks[-1].onset + tasks[-1].duration + int(PAUSE * RATE)
    load = np.zeros((len(PLACES), samples))
    for task in tasks:
        levels = [LEVELS.index(level) / (len(LEVELS) - 1) for level in TASKS[task.stim]]
        load[:, task.onset : task.onset + task.duration] = np.array(levels)[:, None]
    # each person's cortex responds in its own strength and time, at places of its own
    slowness = rng.uniform(0.85, 1.15)
    gain = CORTEX * rng.lognormal(0.0, PERSONS, len(PLACES))
    where = np.stack([_seen_from(spots, rng) for spots in PLACES])
    shared = SKIN * _respond(load.max(0), slowness) + _rhythms(samples, rng)
    shared = shared[:, None] * rng.uniform(0.7, 1.3, CHANNELS)
    signals = []
    for share, delay in ((1.0, 0.0), (DEOXY, LATER)):
        cortex = _respond(load, slowness, delay).T @ (gain[:, None] * where)
        own = abs(share) * (shared + _drift(samples, rng)) + rng.normal(0, NOISE, (samples, CHANNELS))
        signals.append(share * cortex + own)
    return signals[0], signals[1]


def response(time: Signal) -> Signal:
    """Glover's response to an impulse, `time` seconds after it; its peak is 1 before the dip is taken off."""
    time = np.clip(time, 0, None)
    # auditory cortex, Glover 1999: peaks at 6·0.9 s and 12·0.9 s
    rise = (time / 5.4) ** 6 * np.exp(-(time - 5.4) / 0.9)
    dip = (time / 10.8) ** 12 * np.exp(-(time - 10.8) / 0.9)
    kernel: Signal = rise - 0.35 * dip
    return kernel


def _respond(load: Signal, slowness: float, delay: float = 0.0) -> Signal:
    """The response to loads (…, samples) over time; to a load of 1 that stays it is 1 in the end."""
    from scipy.signal import lfilter

    kernel = response((np.arange(int(40 * RATE)) / RATE - delay) / slowness)
    responded: Signal = lfilter(kernel / kernel.sum(), [1.0], load)
    return responded


def _seen_from(spots: tuple[tuple[float, float], ...], rng: np.random.Generator) -> Signal:
    """How much of what happens at places of the grid each channel sees: (52,), 1 where it is nearest."""
    seen = np.zeros(CHANNELS)
    for row, column in spots:
        row, column = rng.normal((row, column), 0.3)
        # channels of the long rows lie between those of the short ones, which begin one column later
        shift = np.where(ROW % 2 == 0, -0.5, 0.0)
        seen += np.exp(-((ROW - row) ** 2 + (COLUMN + shift - column) ** 2) / (2 * WIDTH**2))
    return seen


def _rhythms(samples: int, rng: np.random.Generator) -> Signal:
    """Heartbeat, breathing and Mayer waves, (samples,), whose phases wander."""
    time = np.arange(samples) / RATE
    total = np.zeros(samples)
    for frequency, amplitude in RHYTHMS.values():
        own = frequency * rng.uniform(0.85, 1.15)
        wander = np.cumsum(rng.normal(0, 0.5 / np.sqrt(RATE), samples))
        total += amplitude * np.sin(2 * np.pi * own * time + wander + rng.uniform(0, 2 * np.pi))
    return total


def _drift(samples: int, rng: np.random.Generator) -> Signal:
    """Slow changes of each channel, (samples, 52), forgotten after about a minute."""
    from scipy.signal import lfilter

    kept = np.exp(-1 / (60 * RATE))
    steps = rng.normal(0, DRIFT * np.sqrt(1 - kept**2), (samples, CHANNELS))
    steps[0] /= np.sqrt(1 - kept**2)
    drift: Signal = lfilter([1.0], [1.0, -kept], steps, axis=0)
    return drift
