"""Simulated bearing recordings in the files of the Case Western Reserve University set.

McFadden and Smith, "Model for the vibration produced by a single point defect in a rolling element
bearing", J. Sound Vib. 96(1), 69-82, 1984: each passage of the defect is an impulse whose strength
follows the load on the defect (Stribeck) and which excites a resonance of the structure. The
rolling elements slip, so that the time between passages is random and its error accumulates: Antoni
and Randall, "A stochastic model for simulation and diagnostics of rolling element bearings with
localized faults", J. Vib. Acoust. 125(3), 282-289, 2003.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labtui.data.bearings import CLASSES, RATE
from labtui.data.simulated import begin
from labtui.errors import DataError

Signal = NDArray[np.float64]

# Drive-end bearing SKF 6205-2RS JEM: balls, ball and pitch diameter in inch.
BALLS, BALL, PITCH = 9, 0.3126, 1.537
RPM = (1797, 1772, 1750, 1730)
"""Shaft speed at 0, 1, 2 and 3 hp."""

LOAD_ZONE = 0.5
"""Stribeck's load distribution factor: without clearance, half the turn is loaded."""
SLIP = 0.01
"""Standard deviation of one passage's duration, as a share of its mean."""
NOISE = 0.04
"""Standard deviation of the background (g)."""


@dataclass(frozen=True)
class Fault:
    """A place for a point defect, and how its passages reach the sensor."""

    passages: float
    """Passages in one turn of the shaft."""
    turns: float
    """Turns of the defect through the load zone in one turn of the shaft (0: it stays in it)."""
    resonance: float
    """The structure's excited natural frequency (Hz)."""
    damping: float
    """Damping ratio of that resonance."""
    strength: float
    """Acceleration of a passage under full load, per unit of the defect's size (here g per inch)."""


_R = BALL / PITCH
FAULTS = {
    "outer": Fault(BALLS / 2 * (1 - _R), 0.0, 3300.0, 0.05, 150.0),
    "inner": Fault(BALLS / 2 * (1 + _R), 1.0, 2800.0, 0.06, 200.0),
    # a ball's defect meets both races in each of the ball's own turns, and rides with the cage
    "ball": Fault((1 - _R**2) / _R, (1 - _R) / 2, 3000.0, 0.08, 100.0),
}


def make(out: Path, seed: int = 0, seconds: float = 10.0, loads: tuple[int, ...] = (0,)) -> list[Path]:
    """Write one `.mat` file for each class and load, with the keys of the real ones.

    Args:
        out: folder for the files; made if absent.
        seed: the same seed writes the same signals.
        seconds: length of each recording (CWRU: 10; 20 for the normal one).
        loads: motor loads, 0 to 3 hp.

    Raises:
        DataError: the folder already holds `.mat` files, or a recording would be empty.
    """
    from scipy.io import savemat

    if not 1 <= seconds * RATE <= 1e8:
        raise DataError(
            f"seconds = {seconds}: a recording needs at least one sample and no more than two hours"
        )
    begin(out, seed, "*.mat")
    written = []
    for name, first in CLASSES.items():
        for load in loads:
            number, rng = first + load, np.random.default_rng([seed, first + load])
            place, _, size = name.partition(" ")
            drive = record(place, float(size or 0), RPM[load], seconds, rng)
            fan = record(place, float(size or 0) / 4, RPM[load], seconds, rng)
            table = {
                f"X{number:03d}_DE_time": drive[:, None],
                f"X{number:03d}_FE_time": fan[:, None],
                f"X{number:03d}RPM": np.array([[RPM[load]]], dtype=np.uint16),
                "simulator": "labtui: McFadden and Smith 1984, slip of Antoni and Randall 2003",
            }
            form = {"normal": "{}_Normal_{}.mat", "outer": "{}@6_{}.mat"}.get(place, "{}_{}.mat")
            written.append(out / form.format(number, load))
            savemat(written[-1], table)
    return written


def record(place: str, inches: float, rpm: float, seconds: float, rng: np.random.Generator) -> Signal:
    """One recording: (seconds · RATE,) acceleration in g.

    Args:
        place: "normal", or a key of FAULTS.
        inches: diameter of the defect.
        rpm: speed of the shaft.
    """
    time = np.arange(int(seconds * RATE)) / RATE
    turn = 2 * np.pi * rpm / 60 * time
    signal = rng.normal(0.0, NOISE, len(time))
    for harmonic, level in ((1, 0.02), (2, 0.015), (3, 0.008)):  # imbalance and misalignment
        signal += level * np.sin(harmonic * turn + rng.uniform(0, 2 * np.pi))
    # hum of the motor and its structure, as the real normal recording has it near 1 kHz
    signal += ring(rng.normal(0.0, 0.01, len(time)), 1040.0, 0.01, RATE)
    if place == "normal":
        return signal
    fault = FAULTS[place]
    train = passages(fault, inches, rpm, len(time), RATE, rng)
    return signal + ring(train, fault.resonance, fault.damping, RATE)


def passages(
    fault: Fault, size: float, rpm: float, samples: int, rate: int, rng: np.random.Generator
) -> Signal:
    """The train of impulses, (samples,): passage times with slip, strengths by load.

    Args:
        size: of the defect, in the unit that `fault.strength` is for.
        rate: samples a second.
    """
    mean = 60 / (rpm * fault.passages)
    count = int(samples / rate / mean * 1.1) + 10
    at = rng.uniform(0, mean) + np.cumsum(mean * (1 + rng.normal(0, SLIP, count)))
    at = at[at * rate < samples - 1]
    angle = 2 * np.pi * fault.turns * rpm / 60 * at
    load = np.clip(1 - (1 - np.cos(angle)) / (2 * LOAD_ZONE), 0, None) ** 1.5
    strength = fault.strength * size * load * rng.uniform(0.8, 1.2, len(at))
    index, rest = np.divmod(at * rate, 1)
    train = np.zeros(samples)
    # an impulse between two samples is shared by them
    np.add.at(train, index.astype(int), strength * (1 - rest))
    np.add.at(train, index.astype(int) + 1, strength * rest)
    return train


def ring(force: Signal, frequency: float, damping: float, rate: int) -> Signal:
    """What a resonance (Hz) makes of impulses: a decaying sine of unit height for each."""
    from scipy.signal import lfilter

    decay = np.exp(-damping * 2 * np.pi * frequency / rate)
    turn = 2 * np.pi * frequency * np.sqrt(1 - damping**2) / rate
    # the recursion of decay^n · sin(n · turn)
    poles = [1, -2 * decay * np.cos(turn), decay**2]
    rung: Signal = lfilter([0, decay * np.sin(turn)], poles, force)
    return rung
