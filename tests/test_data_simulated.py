"""The bearing simulator: its faults repeat at their defect frequencies, and can be learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import butter, hilbert, sosfiltfilt

from labtui.data import build
from labtui.data.bearings import RATE
from labtui.data.bearings_sim import FAULTS, make, record
from labtui.data.split import split
from labtui.errors import DataError
from labtui.recipe.core import Validate
from labtui.recipe.data.bearings import Bearings

# As the CWRU Bearing Data Center gives them for the drive-end bearing, in shaft turns.
PUBLISHED = {"inner": 5.4152, "outer": 3.5848, "ball": 4.7135}


@pytest.mark.parametrize("place", FAULTS)
@pytest.mark.parametrize("inches", [0.007, 0.014, 0.021])
def test_envelope_spectrum_peaks_at_the_defect_frequency(place: str, inches: float) -> None:
    rpm, seconds = 1797.0, 10.0
    signal = record(place, inches, rpm, seconds, np.random.default_rng(3))
    band = butter(4, [1500, 5000], "bandpass", fs=RATE, output="sos")
    envelope = np.abs(hilbert(sosfiltfilt(band, signal)))
    power = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope)))) ** 2
    hertz = np.fft.rfftfreq(len(envelope), 1 / RATE)
    defect = PUBLISHED[place] * rpm / 60

    # below lie the turns of the shaft and the cage, above the harmonics
    searched = (hertz > 60) & (hertz < 200)
    assert hertz[searched][power[searched].argmax()] == pytest.approx(defect, rel=0.01)
    around = np.abs(hertz - defect) < 1.5
    assert power[around].max() > 100 * np.median(power[searched])


def test_severity_grows_with_the_fault() -> None:
    for place in FAULTS:
        levels = [
            record(place, inches, 1797, 5, np.random.default_rng(0)).std() for inches in (0.007, 0.014, 0.021)
        ]
        assert levels == sorted(levels)
        assert levels[0] > record("normal", 0, 1797, 5, np.random.default_rng(0)).std()


def test_same_seed_same_signal(tmp_path: Path) -> None:
    from scipy.io import loadmat

    written = [make(tmp_path / str(i), seed, 0.2) for i, seed in enumerate((1, 1, 2))]
    tables = [loadmat(files[1])["X105_DE_time"] for files in written]
    assert tables[0].shape == (2400, 1)
    assert tables[0].dtype == np.float64
    assert np.array_equal(tables[0], tables[1])
    assert not np.array_equal(tables[0], tables[2])


def test_real_recordings_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "105_0.mat").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"already holds \S+\.mat: name"):
        make(tmp_path)
    assert (tmp_path / "105_0.mat").read_bytes() == b"mine"
    with pytest.raises(DataError, match="at least one sample"):
        make(tmp_path / "new", seconds=0.0)


def test_faults_are_told_apart_by_their_spectrum_not_by_their_level(tmp_path: Path) -> None:
    from sklearn.ensemble import RandomForestClassifier

    make(tmp_path / "sim", seconds=4.0)
    dataset = build(Bearings(path="sim", per_class=40, split="time", blocks=5), tmp_path)
    parts = split(dataset, Validate(val=0.2))
    spectrum = torch.fft.rfft(dataset.x).abs()
    level = dataset.x.std(dim=1, keepdim=True)
    scores = []
    for features in (spectrum, level):
        forest = RandomForestClassifier(50, random_state=0)
        forest.fit(features[parts["train"]], dataset.y[parts["train"]])
        scores.append(forest.score(features[parts["val"]], dataset.y[parts["val"]]))
    assert scores[0] > 0.9 > 0.8 > scores[1]


def test_marked_as_simulated(tmp_path: Path) -> None:
    make(tmp_path / "sim", seconds=1.0)
    dataset = build(Bearings(path="sim", per_class=2), tmp_path)
    assert str(dataset.facts["source"]).startswith("simulated")


def test_what_make_writes_is_what_a_data_set_reads_by_default() -> None:
    from labtui.data.__main__ import SIMULATORS
    from labtui.recipe.data import DATASETS

    paths = {spec.model_fields["name"].default: spec.model_fields.get("path") for spec in DATASETS}
    read = {name: path.default for name in SIMULATORS if (path := paths.get(name))}
    assert read == {name: f"data/{name}_simulated" for name in read} | {"bearings": "data/bearings_cwru"}
    assert len(read) >= 7
