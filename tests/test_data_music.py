"""Archives of music made by hand in, clips out; what is wrong with a file is said by name."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from music_lab import HEAD, RATE, archive, table, tone
from pydantic import ValidationError

from labtui.data import Dataset, build
from labtui.data.decoded import SCALE
from labtui.data.show import describe
from labtui.data.split import split
from labtui.errors import DataError
from labtui.recipe.core import Validate
from labtui.recipe.data.music import Music

SMALL: dict[str, Any] = {"clip": 1024, "kept": 4096, "features": "wave", "norm": "none"}
IMAGE: dict[str, Any] = SMALL | {"features": "mel", "n_fft": 128, "hop": 64, "mels": 8, "frames": 16}


def load(folder: Path, **options: Any) -> Dataset:
    return build(Music(**{"path": str(folder), "cache": str(folder / "cache")} | SMALL | options), Path("/"))


def test_tracks_have_their_genres_and_the_official_split(tmp_path: Path) -> None:
    dataset = load(archive(tmp_path))
    assert dataset.classes == ["Folk", "Rock"]
    assert dataset.y.tolist() == [0] * 4 + [1] * 4
    parts = split(dataset, Validate(scheme="file"))
    assert {name: part.tolist() for name, part in parts.items()} == {
        "train": [0, 1, 4, 5],
        "val": [2, 6],
        "test": [3, 7],
    }
    expected = np.stack([tone(place) for place in range(8)])
    assert dataset.x.dtype == torch.int16
    assert np.abs(dataset.x.numpy() / SCALE - expected).max() < 1e-3
    assert dataset.facts["sampling rate (Hz)"] == f"{RATE} (8 tracks)"


def test_only_the_subset_and_what_is_not_broken(tmp_path: Path) -> None:
    archive(tmp_path)
    text = table(tmp_path).read_text()
    table(tmp_path).write_text(
        text.replace("998,0,training,small", "998,0,training,large") + "98565,0,,small,Folk,\n"
    )
    assert len(load(tmp_path)) == 7
    assert len(load(tmp_path, leave_out=[98565, 999, 1003])) == 5
    with pytest.raises(DataError, match=r"tracks\.csv: track 98565 has the split ''"):
        load(tmp_path, leave_out=[])


def test_class_folders(tmp_path: Path) -> None:
    for place, name in enumerate(("blues/blues.00000.wav", "blues/two.flac", "rock/x.WAV", ".git/y.wav")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, tone(place), RATE)
    (tmp_path / "rock" / "notes.txt").write_text("no track")
    dataset = load(tmp_path, layout="folders", cache=str(tmp_path / ".cache"))
    assert (dataset.classes, dataset.y.tolist(), dataset.split) == (["blues", "rock"], [0, 0, 1], None)


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    dataset = load(archive(tmp_path, samples=RATE, suffix=suffix), kept=8192)
    assert dataset.x.shape == (8, 8192)
    pitches = torch.fft.rfft(dataset.x[:, :8192].float()).abs().argmax(1) * RATE / 8192
    assert (pitches - torch.arange(200, 600, 50)).abs().max() < 2


def test_what_is_kept_is_the_middle_and_short_tracks_are_repeated(tmp_path: Path) -> None:
    archive(tmp_path)
    long, short = (tmp_path / "fma_small" / "000" / f"{n:06d}.wav" for n in (998, 999))
    ramp = np.arange(6000, dtype=np.int16)
    soundfile.write(long, ramp, RATE)
    soundfile.write(short, ramp[:1500], RATE)
    x = load(tmp_path, kept=5000).x
    assert (x[0] - torch.arange(500, 5500)).abs().max() <= 1
    assert (x[1] - torch.arange(5000) % 1500).abs().max() <= 1
    assert load(tmp_path, kept=1_000_000).x.shape == (8, 6000)  # no track has more
    assert load(tmp_path, clips="centre").x.shape == (8, 1024)


def test_tracks_are_resampled_on_request(tmp_path: Path) -> None:
    archive(tmp_path)
    soundfile.write(tmp_path / "fma_small" / "000" / "000998.wav", tone(0, 8192), 2 * RATE)
    assert load(tmp_path).facts["sampling rate (Hz)"] == f"{RATE} (7 tracks), {2 * RATE} (1 tracks)"
    dataset = load(tmp_path, rate=RATE)
    assert dataset.facts["sampling rate (Hz)"] == f"{RATE} (8 tracks)"
    spectrum = torch.fft.rfft(dataset.x[0].float()).abs()
    assert float(spectrum.argmax() * RATE / 4096) == pytest.approx(400, abs=3)


def made(tmp_path: Path) -> dict[str, int]:
    """The files of the cache, by the times at which they were written."""
    return {str(f): f.stat().st_mtime_ns for f in (tmp_path / "cache").glob("*/*")}


def test_tracks_are_decoded_once(tmp_path: Path) -> None:
    archive(tmp_path)
    first = load(tmp_path)
    known = made(tmp_path)
    assert len(known) == 2
    first.x[:] = 0  # what is changed in memory stays there
    assert torch.equal(load(tmp_path).x, load(tmp_path, on_error="skip").x) and load(tmp_path).x.any()
    assert made(tmp_path) == known
    soundfile.write(tmp_path / "fma_small" / "000" / "000998.wav", tone(9), RATE)
    assert (load(tmp_path).x[0] / SCALE - torch.from_numpy(tone(9))).abs().max() < 1e-3
    assert len(made(tmp_path)) == 4


def test_a_cache_that_is_not_whole_is_made_anew(tmp_path: Path) -> None:
    expected = load(archive(tmp_path)).x.clone()
    (values,) = (tmp_path / "cache").glob("*/values")
    for spoil in (
        lambda: values.write_bytes(values.read_bytes()[:-2]),
        lambda: values.with_name("index.json").write_text("{"),
        values.unlink,
    ):
        spoil()
        (values.parent / ".values.1.abc.tmp").write_bytes(b"of a run that was killed")
        assert torch.equal(load(tmp_path).x, expected)
        assert {file.name for file in values.parent.iterdir()} == {"values", "index.json"}


def test_a_disk_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(DataError, match=r"tracks cannot be kept there .0\.00 GB are needed, .*data\.cache"):
        load(archive(tmp_path))


@pytest.mark.parametrize("features", ["mel", "stft"])
def test_spectrograms_that_are_always_the_same_are_made_once(tmp_path: Path, features: Any) -> None:
    archive(tmp_path)
    options = IMAGE | {"features": features, "norm": "notebook", "augment": {}}
    anew, once = load(tmp_path, **options), load(tmp_path, **options | {"clips": "centre"})
    known = made(tmp_path)
    assert once.x.shape == (8, 1, 16, 8 if features == "mel" else 65) and once.x.dtype == torch.float32
    assert torch.allclose(once.see(once.x), anew.see(anew.x), atol=1e-5)
    assert not torch.allclose(once.see(once.x, torch.Generator()), once.see(once.x))
    load(tmp_path, **options | {"clips": "centre", "norm": "min_max", "augment": None})
    assert made(tmp_path) == known
    load(tmp_path, **options | {"clips": "centre", "n_fft": 256})
    assert len(made(tmp_path)) == len(known) + 2


def test_clips_are_drawn_anew_in_training_and_the_middle_in_evaluation(tmp_path: Path) -> None:
    dataset = load(archive(tmp_path))
    ramp = torch.arange(4096, dtype=torch.int16).expand(64, -1)
    middle = dataset.see(ramp)
    assert middle.shape == (64, 1, 1024)
    assert (middle * SCALE).round().int()[:, 0].tolist() == [list(range(1536, 2560))] * 64
    starts = (dataset.see(ramp, torch.Generator().manual_seed(0))[:, 0, [0, -1]] * SCALE).round().int()
    assert (starts[:, 1] - starts[:, 0] == 1023).all()
    assert starts.min() >= 0 and starts.max() <= 4095 and len(set(starts[:, 0].tolist())) > 50
    still = load(tmp_path, clips="centre")
    assert torch.equal(still.see(still.x, torch.Generator()), still.see(still.x))
    assert torch.allclose(still.see(still.x), dataset.see(dataset.x))


def test_wave_and_spectrogram_as_one_row(tmp_path: Path) -> None:
    archive(tmp_path)
    alone = [load(tmp_path, **IMAGE | {"features": kind}) for kind in ("wave", "mel")]
    both = load(tmp_path, **IMAGE | {"features": "both"})
    generators = [torch.Generator().manual_seed(3) for _ in range(3)]
    parts = [one.see(one.x, generator) for one, generator in zip(alone, generators, strict=False)]
    assert [part.shape for part in parts] == [(8, 1, 1024), (8, 1, 16, 8)]
    row = both.see(both.x, generators[2])
    assert torch.equal(row, torch.cat([part.flatten(1) for part in parts], 1))
    assert load(tmp_path, **IMAGE | {"features": "stft"}).shape == (1, 16, 65)


def test_the_notebooks_constants(tmp_path: Path) -> None:
    archive(tmp_path)
    plain, scaled = (load(tmp_path, **IMAGE | {"features": "both", "norm": n}) for n in ("none", "notebook"))
    x, y = plain.see(plain.x), scaled.see(scaled.x)
    assert torch.allclose(y[:, :1024], x[:, :1024] / 0.21469156)
    assert torch.allclose(y[:, 1024:], (x[:, 1024:] - 1.0784853) / 4.0071154, atol=1e-5)


@pytest.mark.parametrize("norm", ["min_max", "sample", "batch"])
def test_norms_of_samples_and_batches(tmp_path: Path, norm: Any) -> None:
    dataset = load(archive(tmp_path), **IMAGE | {"norm": norm})
    flat = dataset.see(dataset.x).flatten(0 if norm == "batch" else 1)
    low, high = (0.0, 1.0) if norm == "min_max" else (flat.mean(-1), flat.std(-1, correction=0))
    if norm == "min_max":
        assert flat.amin(1).eq(0).all() and flat.amax(1).eq(1).all()
    else:
        assert torch.as_tensor(low).abs().max() < 1e-5 and (torch.as_tensor(high) - 1).abs().max() < 1e-5


@pytest.mark.parametrize("features", ["wave", "mel", "both"])
def test_constants_are_of_the_training_split_alone(tmp_path: Path, features: Any) -> None:
    archive(tmp_path)
    options = IMAGE | {"features": features, "norm": "train"}
    one, other = load(tmp_path, **options), load(tmp_path, **options)
    train = split(one, Validate(scheme="file"))["train"]
    held = torch.tensor([at for at in range(8) if at not in train.tolist()])
    other.x[held] = torch.randint(-9999, 9999, (len(held), 4096), dtype=torch.int16)  # a leak would show
    for dataset in (one, other):
        dataset.learn(train)
    seen = one.see(one.x[train])
    assert torch.equal(seen, other.see(other.x[train]))
    cut = {"wave": [], "mel": [], "both": [1024]}[features]
    for part in seen.flatten(1).tensor_split(cut, 1):
        assert part.mean().abs() < 1e-5 and (part.std(correction=0) - 1).abs() < 1e-4


def test_the_training_split_is_read_in_parts(tmp_path: Path) -> None:
    dataset, given = load(archive(tmp_path), norm="train"), []
    dataset.fit = lambda x, y: given.append(x) or (lambda batch, generator: batch)
    dataset.learn(torch.tensor([0, 1, 4, 5]))
    (x,) = given
    assert not isinstance(x, torch.Tensor) and len(x) == 4
    assert torch.equal(x[1:3], dataset.x[[1, 4]])


def test_principal_components_are_of_training_frames(tmp_path: Path) -> None:
    dataset = load(archive(tmp_path), **IMAGE | {"pca": 0.9})
    train = split(dataset, Validate(scheme="file"))["train"]
    plain = load(tmp_path, **IMAGE)
    dataset.learn(train)
    frames = plain.see(plain.x[train]).flatten(0, 2)
    seen = dataset.see(dataset.x[train]).flatten(0, 2)
    kept = seen.shape[1]
    assert dataset.shape == (1, 16, kept) and 1 <= kept < 8
    assert 0.9 <= float(seen.var(0).sum() / frames.var(0).sum()) <= 1
    one_less = seen[:, : kept - 1].var(0).sum() / frames.var(0).sum()
    assert float(one_less) < 0.9
    crossed = np.cov(seen.numpy().T).reshape(kept, kept)
    assert np.abs(crossed - np.diag(np.diag(crossed))).max() < 1e-3 * crossed.max()


def test_spectrograms_are_changed_in_training_only_unless_the_notebook_is_meant(tmp_path: Path) -> None:
    archive(tmp_path)
    plain = load(tmp_path, **IMAGE | {"clips": "centre"})
    expected = plain.see(plain.x)
    for in_evaluation in (False, True):
        augment = {"flip": 0.5, "in_evaluation": in_evaluation}
        dataset = load(tmp_path, **IMAGE | {"clips": "centre", "augment": augment})
        assert not torch.allclose(dataset.see(dataset.x, torch.Generator()), expected)
        assert torch.allclose(dataset.see(dataset.x), expected) != in_evaluation
        assert torch.equal(dataset.see(dataset.x), dataset.see(dataset.x))


@pytest.mark.parametrize("flipped", ["frames", "bins"])
def test_reversals(tmp_path: Path, flipped: Any) -> None:
    augment = {"scale": [1.0, 1.0], "ratio": [0.5, 0.5], "flip": 1.0, "flipped": flipped}
    archive(tmp_path)
    plain = load(tmp_path, **IMAGE | {"clips": "centre"})
    dataset = load(tmp_path, **IMAGE | {"clips": "centre", "augment": augment})
    expected = plain.see(plain.x).flip(2 if flipped == "frames" else 3)
    assert torch.allclose(dataset.see(dataset.x, torch.Generator()), expected, atol=1e-3)


def test_tracks_are_shown(tmp_path: Path) -> None:
    found = describe(load(archive(tmp_path)), Validate(scheme="file"))
    assert (found["stored"], found["dtype"], found["splits"]["test"]) == ([4096], "int16", 2)
    assert len(found["examples"]) == 6


def spoil(tmp_path: Path, number: int) -> Path:
    return tmp_path / "fma_small" / f"{number // 1000:03d}" / f"{number:06d}.wav"


def test_files_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive(tmp_path, genres=("Folk", "Jazz", "Rock"))
    spoilt = {
        998: lambda file: file.unlink(),
        999: lambda file: file.write_bytes(file.read_bytes()[:1000]),
        1000: lambda file: file.write_bytes(b"no sound"),
        1003: lambda file: soundfile.write(file, np.full(4096, np.nan), RATE, subtype="FLOAT"),
        1004: lambda file: soundfile.write(file, tone(0, 1000), RATE),
    }
    for number, spoiling in spoilt.items():
        file = spoil(tmp_path, number)
        whole = file.read_bytes()
        spoiling(file)
        with pytest.raises(DataError, match=f"{number:06d}"):
            load(tmp_path)
        file.write_bytes(whole)
    for number, spoiling in spoilt.items():
        spoiling(spoil(tmp_path, number))
    capsys.readouterr()
    dataset = load(tmp_path, on_error="skip")
    assert (dataset.facts["tracks"], dataset.facts["tracks left out"]) == (7, 5)
    told = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert [f"{number:06d}" in line for number, line in zip(spoilt, told, strict=True)] == [True] * 5
    assert "fewer than a clip of 1024: lower data.clip" in told[-1]
    assert dataset.y.tolist() == [0, 1, 1, 2, 2, 2, 2]
    load(tmp_path, on_error="skip")
    assert capsys.readouterr().err.splitlines() == told  # from the cache, too
    with pytest.raises(DataError, match="000998"):
        load(tmp_path)
    with pytest.raises(DataError, match="the train split lacks 'Folk'"):
        split(dataset, Validate(scheme="file"))


def test_a_genre_that_is_lost_is_missed(tmp_path: Path) -> None:
    archive(tmp_path)
    for number in range(998, 1002):
        spoil(tmp_path, number).unlink()
    with pytest.raises(DataError, match="no track of 'Folk' could be used"):
        load(tmp_path, on_error="skip")
    for number in range(1002, 1006):
        spoil(tmp_path, number).unlink()
    with pytest.raises(DataError, match="none of 8 tracks can be used"):
        load(tmp_path, on_error="skip")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it holds no tracks; expected FMA's three rows of header"),
        ("\n".join(HEAD), "it holds no tracks"),
        (
            "\n".join([*HEAD, "1,0,training,small,Folk,a"]).replace("genre_top", "genre"),
            "no column track genre_top",
        ),
        ("\n".join([*HEAD, "1,0,training"]), r"row 4 begins '1' and has 3 cells, expected .* 6 cells"),
        ("\n".join([*HEAD, "one,0,training,small,Folk,a"]), "row 4 begins 'one'"),
        ("\n".join([*HEAD, "²,0,training,small,Folk,a"]), "row 4 begins '²'"),
        ("\n".join([*HEAD, f"{10**300},0,training,small,Folk,a"]), "row 4 begins '1000"),
        ("\n".join([*HEAD, "1,0,training,small,Folk,a"]), "has tracks of fewer than two genres"),
        ("\n".join([*HEAD, "1,0,training,large,Folk,a"]), "'small' has tracks of fewer than two"),
    ],
)
def test_broken_tables(tmp_path: Path, text: str, message: str) -> None:
    archive(tmp_path)
    table(tmp_path).write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path)
    assert "tracks.csv" in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no .*tracks\.csv: .*labtui data make music --out"):
        load(tmp_path)
    table(tmp_path).parent.mkdir()
    table(tmp_path).write_bytes(b"\xff\xfe,")
    with pytest.raises(DataError, match=r"tracks\.csv: it cannot be read"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"cannot be read \(.*File name too long: .*data\.path"):
        load(tmp_path / ("x" * 300), layout="folders")
    with pytest.raises(DataError, match=r"no such folder.*labtui data make music_folders"):
        load(tmp_path / "nowhere", layout="folders")
    (tmp_path / "x" / "blues").mkdir(parents=True)
    (tmp_path / "x" / "blues" / "._a.wav").write_bytes(b"what macOS leaves")
    with pytest.raises(DataError, match=r"blues: no track in it"):
        load(tmp_path / "x", layout="folders")
    soundfile.write(tmp_path / "x" / "blues" / "a.wav", tone(0), RATE)
    with pytest.raises(DataError, match=r"two genres or more"):
        load(tmp_path / "x", layout="folders")


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    broken = os.fsdecode(b"\xff")
    genres = tmp_path / "genres"
    for genre in ("blues", broken):
        (genres / genre).mkdir(parents=True)
        with open(genres / genre / f"{broken}.wav", "wb") as file:
            soundfile.write(file, tone(0), RATE, format="wav")
    options: dict[str, Any] = {"layout": "folders", "clip": 4096, "features": "wave", "cache": str(tmp_path)}
    with pytest.raises(DataError, match=r"name of class '\\udcff' is no UTF-8: rename"):
        load(genres, **options)
    (genres / broken).rename(genres / "rock")
    assert load(genres, **options).classes == ["blues", "rock"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o500)
    with pytest.raises(DataError, match=r"tracks cannot be kept there .*as data\.cache"):
        load(archive(tmp_path))


def test_a_cache_in_the_way_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DataError, match=r"tracks cannot be kept there .*as data\.cache"):
        load(archive(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clip": 2048, "kept": 1024}, "kept = 1024 samples are fewer than a clip of 2048"),
        ({"hop": 999, "n_fft": 512}, "hop = 999 leaves out samples"),
        ({"clip": 20480}, "a clip of 20480 has 11 frames"),
        ({"features": "wave", "pca": 0.99}, "are for spectrograms"),
        ({"features": "wave", "augment": {}}, "are for spectrograms"),
        ({"features": "both", "pca": 0.99}, "has to know before"),
        ({"augment": {"scale": [0.5, 0.1]}}, "scale must be 0 < smallest"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Music(**options)
