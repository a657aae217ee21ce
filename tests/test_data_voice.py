"""Random changes of waves: each by itself, and all of them drawn from the generator alone."""

from __future__ import annotations

import torch
from torch import Tensor

from labtui.data.voice import Augment

RATE = 8000


def tone(hertz: float, n: int = 1) -> Tensor:
    return torch.sin(2 * torch.pi * hertz * torch.arange(RATE) / RATE).repeat(n, 1)


def pitch(x: Tensor) -> Tensor:
    """The strongest frequency of the first 4,000 samples, Hz."""
    return torch.fft.rfft(x[:, :4000]).abs().argmax(1) * RATE / 4000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_nothing_to_change() -> None:
    x = torch.randn(3, 100, generator=generator())
    assert Augment(0, 0, 0)(x, generator()).equal(x)
    assert Augment(0.1, 0, 0.1)(x, None).equal(x)


def test_faster_is_higher_and_shorter() -> None:
    x = tone(1000, 200)
    seen = Augment(0.25, 0, 0)(x, generator())
    assert seen.shape == x.shape
    heights = pitch(seen)
    assert 790 <= heights.min() < 850
    assert 1180 < heights.max() <= 1260
    ends = [int(row.nonzero().max()) for row in seen]
    for height, end in zip(heights.tolist(), ends, strict=True):
        assert abs(end - min(RATE, RATE * 1000 / height)) < 25


def test_somewhere_in_the_silence_and_whole() -> None:
    x, change = torch.ones(200, 1000), Augment(0, 301, 0)
    seen = change(x, generator())
    assert seen.shape == (200, 1301)
    starts = (seen > 0.5).int().argmax(1)
    assert starts.min() < 10
    assert 291 < starts.max() <= 301
    torch.testing.assert_close(seen.sum(1), torch.full((200,), 1000.0), atol=1, rtol=0)
    assert change(x, None)[0].nonzero().flatten().tolist() == list(range(150, 1150))
    assert change.frames(torch.tensor([7])).tolist() == [308]


def test_noise_of_each_level_up_to_the_largest() -> None:
    spread = Augment(0, 0, 0.5)(torch.zeros(200, 2000), generator()).std(1)
    assert spread.min() < 0.02
    assert 0.48 < spread.max() < 0.52


def test_the_generator_decides() -> None:
    x, change = torch.randn(4, 500, generator=generator()), Augment(0.1, 50, 0.1)
    assert change(x, generator(1)).equal(change(x, generator(1)))
    assert not change(x, generator(1)).equal(change(x, generator(2)))
