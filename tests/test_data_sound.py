"""Sound files: what is read of them, and what is said of those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from labtui.data import sound
from labtui.errors import DataError

RATE = 8000


def tone(hertz: float, seconds: float = 0.5, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3"])
def test_files_of_several_formats(tmp_path: Path, kind: str) -> None:
    wave, path = tone(440), tmp_path / f"a.{kind}"
    soundfile.write(path, wave, RATE)
    found = sound.read(path)
    assert found.dtype == np.float32
    assert sound.rate_of(path) == RATE
    # MP3 keeps what is heard, and a frame more at an end.
    assert abs(len(found) - len(wave)) < (2000 if kind == "mp3" else 1)
    np.testing.assert_allclose(found[200:3000], wave[200:3000], atol=0.05 if kind == "mp3" else 1e-4)


def test_channels_become_one(tmp_path: Path) -> None:
    left, right = tone(200), tone(300)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], 1), RATE, subtype="FLOAT")
    np.testing.assert_allclose(sound.read(tmp_path / "a.wav"), (left + right) / 2, atol=1e-7)


def test_another_rate(tmp_path: Path) -> None:
    wave = tone(440, 1, 44_100)
    soundfile.write(tmp_path / "a.wav", wave, 44_100, subtype="FLOAT")
    found = sound.read(tmp_path / "a.wav", 16_000)
    np.testing.assert_allclose(found, resample_poly(wave, 160, 441), atol=1e-6)
    np.testing.assert_allclose(found[500:-500], tone(440, 1, 16_000)[500:-500], atol=1e-3)
    # What 16 kHz cannot hold is not folded back, as taking every n-th sample would.
    soundfile.write(tmp_path / "b.wav", tone(12_000, 1, 44_100), 44_100)
    assert np.abs(sound.read(tmp_path / "b.wav", 16_000)[500:-500]).max() < 0.01


def test_what_a_stream_announces_is_no_length(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(440), RATE)
    whole = bytearray(path.read_bytes())
    at = whole.index(b"data") + 4
    whole[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(whole)
    assert len(sound.read(path)) == len(tone(440))


def broken(folder: Path) -> dict[str, Path]:
    """Files that cannot be used, by what is said of them."""
    good = folder / "good.wav"
    soundfile.write(good, tone(440), RATE)
    whole = good.read_bytes()
    files = {
        r"cut off: the last 1000 bytes": whole[:-1000],
        r"no sound can be read": b"not a sound\n" * 40,
        r"no sound can be read from it \(.*\): fetch it": whole[:20],
    }
    made = {}
    for number, (message, content) in enumerate(files.items()):
        made[message] = folder / f"bad-{number}.wav"
        made[message].write_bytes(content)
    soundfile.write(folder / "long.flac", np.random.default_rng(0).uniform(-1, 1, 40_000), RATE)
    made["cut off|no sound can be read"] = folder / "cut.flac"
    made["cut off|no sound can be read"].write_bytes((folder / "long.flac").read_bytes()[:-30_000])
    made["holds no samples"] = folder / "none.wav"
    soundfile.write(made["holds no samples"], np.zeros(0), RATE)
    made["2 samples are NaN"] = folder / "nan.wav"
    soundfile.write(made["2 samples are NaN"], np.array([0, np.nan, np.inf, 1]), RATE, subtype="FLOAT")
    made["there is no"] = folder / "nowhere.wav"
    made["there is no .*xxx"] = folder / ("x" * 300)
    made["announces 2147483647 samples a second, expected 100"] = folder / "rate.wav"
    (folder / "rate.wav").write_bytes(whole[:24] + (2**31 - 1).to_bytes(4, "little") + whole[28:])
    flac = bytearray((folder / "long.flac").read_bytes())
    flac[21:26] = bytes([flac[21] | 15, 255, 255, 255, 255])  # STREAMINFO's number of samples: 2**36 - 1
    made["(cut off|no sound can be read).*"] = folder / "endless.flac"
    (folder / "endless.flac").write_bytes(flac)
    return made


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for message, path in broken(tmp_path).items():
        with pytest.raises(DataError, match=message) as caught:
            sound.read(path)
        assert str(path) in str(caught.value)
    for name in ("bad-1.wav", "nowhere.wav"):
        with pytest.raises(DataError, match=name):
            sound.rate_of(tmp_path / name)
