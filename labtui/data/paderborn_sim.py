"""Simulated measurements in the files of the Paderborn University bearing set.

The vibration of a damaged bearing is that of `labtui.data.bearings_sim` (McFadden and Smith 1984; Antoni
and Randall 2003), with the geometry and the operating conditions of the original test rig (Lessmeier et
al. 2016). Each bearing has its own damage, resonances and noise, each measurement its own speed and
phase, so that knowing one bearing is not knowing the next. How loud and how high they ring is made up.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtui.data.bearings_sim import Fault, passages, ring
from labtui.data.paderborn import RATE, SIGNAL
from labtui.data.simulated import begin
from labtui.errors import DataError

Signal = NDArray[np.float64]

BALLS, BALL, PITCH = 8, 6.75, 28.55
"""Of the bearing, type 6203: balls, their diameter and that of their circle (mm)."""
_R = BALL / PITCH
FAULTS = {
    "KA": Fault(BALLS / 2 * (1 - _R), 0.0, 4200.0, 0.04, 0.25),
    "KI": Fault(BALLS / 2 * (1 + _R), 1.0, 6000.0, 0.04, 0.25),
}
"""Beginning of a bearing's code to its damage; strengths are per mm along the raceway."""
SIZES = (1.0, 4.0)
"""Shortest and longest damage (mm): the first two of the original's levels of extent."""

BEARINGS = (
    *("K001", "K002", "K003", "K004", "K005"),
    *("KA04", "KA15", "KA16", "KA22", "KA30"),
    *("KI04", "KI14", "KI16", "KI18", "KI21"),
)
"""The healthy bearings and those with real damage that the original's authors classify."""
MEASUREMENTS = 2
"""Of each bearing under each operating condition; the original has 20."""

SLOW, SLOWEST = 4000, 1
"""Samples a second of force, speed and torque, and of the temperature."""
LEGEND = {
    "force": ("Mech_4kHz", "N"),
    "phase_current_1": ("HostService", "A"),
    "phase_current_2": ("HostService", "A"),
    "speed": ("Mech_4kHz", "rpm"),
    "temp_2_bearing_module": ("Temp_1Hz", "C"),
    "torque": ("Mech_4kHz", "Nm"),
    SIGNAL: ("HostService", "V"),
}
"""Signal to its time axis and its unit, in the order of the original files."""
RATES = {"HostService": RATE, "Mech_4kHz": SLOW, "Temp_1Hz": SLOWEST}
"""Time axis to samples a second."""


def make(
    out: Path,
    seed: int = 0,
    seconds: float = 1.0,
    conditions: tuple[str, ...] = ("N15_M07_F10",),
    measurements: int = MEASUREMENTS,
) -> list[Path]:
    """Write measurements of 15 bearings, each bearing's in a folder of its own.

    Args:
        out: folder for the folders; made if absent.
        seed: the same seed writes the same signals.
        seconds: length of each measurement (the original: 4).
        conditions: operating conditions, as in file names.
        measurements: of each bearing under each condition.

    Raises:
        DataError: the folder already holds `.mat` files, or a measurement would be empty.
    """
    from scipy.io import savemat

    if not 0.05 <= seconds <= 600 or measurements < 1:
        raise DataError(
            f"seconds = {seconds}, measurements = {measurements}: a measurement takes a twentieth of a "
            "second to ten minutes, and there is at least one"
        )
    begin(out, seed, "**/*.mat")
    written = []
    for place, bearing in enumerate(BEARINGS):
        (out / bearing).mkdir(exist_ok=True)
        for condition in conditions:
            speed, torque, force = (int(part[1:]) for part in condition.split("_"))
            setting = {"speed": speed * 100.0, "torque": torque / 10, "force": force * 100.0}
            for number in range(1, measurements + 1):
                name = f"{condition}_{bearing}_{number}"
                own = np.random.default_rng([seed, place])
                rng = np.random.default_rng([seed, place, speed, torque, force, number])
                signals = measure(bearing, setting, seconds, own, rng)
                table = {name: _struct(signals), "simulator": "labtui: McFadden and Smith 1984"}
                written.append(out / bearing / f"{name}.mat")
                savemat(written[-1], table, do_compression=True)
    return written


def measure(
    bearing: str,
    setting: dict[str, float],
    seconds: float,
    own: np.random.Generator,
    rng: np.random.Generator,
) -> dict[str, Signal]:
    """All signals of one measurement by their names.

    Args:
        bearing: its code.
        setting: speed (rpm), torque (Nm) and radial force (N).
        own: what is the bearing's own is drawn from it, the same for each of its measurements.
        rng: what is the measurement's own is drawn from it.
    """
    time = {axis: np.arange(max(1, round(seconds * rate))) / rate for axis, rate in RATES.items()}
    rpm = setting["speed"] * rng.uniform(0.99, 1.01)
    slow, fast = time["Mech_4kHz"], time["HostService"]
    held = {
        name: level * (1 + 0.005 * rng.standard_normal(len(slow)))
        for name, level in (setting | {"speed": rpm}).items()
    }
    # a synchronous motor with four pole pairs, whose current drives the torque
    phase = 2 * np.pi * 4 * rpm / 60 * fast + rng.uniform(0, 2 * np.pi)
    amperes = 1.0 + setting["torque"]
    currents = [
        amperes * np.sin(phase - shift) + 0.02 * rng.standard_normal(len(fast))
        for shift in (0, 2 * np.pi / 3)
    ]
    signals = held | {
        "phase_current_1": currents[0],
        "phase_current_2": currents[1],
        "temp_2_bearing_module": 45 + 0.1 * rng.standard_normal(len(time["Temp_1Hz"])),
        SIGNAL: vibration(bearing, rpm, setting["force"], len(fast), own, rng),
    }
    # as a converter of 16 bits gives them
    return {name: np.round(signals[name], 4) for name in LEGEND}


def vibration(
    bearing: str, rpm: float, force: float, samples: int, own: np.random.Generator, rng: np.random.Generator
) -> Signal:
    """The acceleration of the bearing's housing, (samples,); the arguments are those of `measure`."""
    time: Signal = np.arange(samples) / RATE
    noise, hum, size, pitch = own.uniform((0.06, 0.6, SIZES[0], 0.9), (0.1, 1.4, SIZES[1], 1.1))
    signal: Signal = noise * rng.standard_normal(samples)
    for harmonic, level in ((1, 0.05), (2, 0.03), (4, 0.03)):  # imbalance, misalignment, pole pairs
        turn = 2 * np.pi * harmonic * rpm / 60 * time
        signal += level * np.sin(turn + rng.uniform(0, 2 * np.pi))
    # the housing and the motor, which ring without any damage too
    for frequency in (900.0, 2600.0):
        signal += hum * ring(rng.normal(0.0, 0.02, samples), frequency * pitch, 0.02, RATE)
    if (kind := bearing[:2]) not in FAULTS:
        return signal
    fault = FAULTS[kind]
    fault = replace(fault, resonance=fault.resonance * pitch)
    train = passages(fault, size * force / 1000 * rpm / 1500, rpm, samples, RATE, rng)
    return signal + ring(train, fault.resonance, fault.damping, RATE)


def _struct(signals: dict[str, Signal]) -> dict[str, Any]:
    """A file's struct: X holds the time axes, Y the signals."""
    axes = {axis: next(signals[n] for n, (a, _) in LEGEND.items() if a == axis) for axis in RATES}
    time = [(axis, "Time", np.arange(len(one)) / RATES[axis], "s", axis) for axis, one in axes.items()]
    rows = [(name, "Signal", signals[name], unit, axis) for name, (axis, unit) in LEGEND.items()]
    return {"Info": "simulated", "X": _array(time), "Y": _array(rows), "Description": "simulated"}


def _array(rows: list[tuple[str, str, Signal, str, str]]) -> NDArray[np.void]:
    """A 1xN array of structs."""
    fields = [(field, object) for field in ("Name", "Type", "Data", "Unit", "Raster")]
    array = np.empty((1, len(rows)), fields)
    for column, (name, kind, data, unit, raster) in enumerate(rows):
        array[0, column] = (name, kind, data[None], unit, raster)
    return array
