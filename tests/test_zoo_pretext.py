"""Masked elements and triplets: shares, the loss by hand, and that models learn from them."""

from __future__ import annotations

import pytest
import torch
from zoo_lab import build

from labtui.recipe.models.transformer import TransformerMask, TransformerTriplet
from labtui.zoo.pretext import batch_hard, mask


def test_shares_of_what_is_masked() -> None:
    x = torch.rand(100, 40, 30, generator=torch.Generator().manual_seed(1)) + 1  # no zeros, no equals
    left, masked = mask(x, 0.15, torch.Generator().manual_seed(0))
    assert float(masked.float().mean()) == pytest.approx(0.15, abs=0.003)
    assert torch.equal(left[~masked], x[~masked])
    zero, kept = left[masked] == 0, left[masked] == x[masked]
    swapped = left[masked][~zero & ~kept]
    shares = [float(what) / int(masked.sum()) for what in (zero.sum(), len(swapped), kept.sum())]
    assert shares == pytest.approx([0.81, 0.1, 0.09], abs=0.01)
    assert torch.isin(swapped, x).all()


def test_masks_come_from_the_generator_alone() -> None:
    x = torch.randn(4, 9, 3)
    found = [mask(x, 0.15, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])
    assert not torch.equal(found[0][1], found[2][1])


def test_a_transformer_learns_to_restore() -> None:
    """Each channel follows from the other, and a constant knows neither."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 6, 1, generator=generator) * torch.tensor([1.0, -1.0])
    model = build(TransformerMask(d_model=16, nhead=2, d_hid=32, nlayers=1, dropout=0.0), (6, 2)).train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(100):
        left, masked = mask(x, 0.15, generator)
        loss = ((model(left) - x)[masked] ** 2).mean()
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert sum(losses[-10:]) / 10 < 0.5 * float(x.var())


def by_hand(embedding: torch.Tensor, y: torch.Tensor, margin: float) -> tuple[float, float]:
    losses = []
    for i in range(len(y)):
        far = [float((embedding[i] - embedding[j]).norm()) for j in range(len(y))]
        fellows = [far[j] for j in range(len(y)) if j != i and y[j] == y[i]]
        strangers = [far[j] for j in range(len(y)) if y[j] != y[i]]
        if fellows and strangers:
            losses.append(max(0.0, max(fellows) - min(strangers) + margin))
    return sum(losses) / len(losses), sum(loss > 0 for loss in losses) / len(losses)


@pytest.mark.parametrize("margin", [0.05, 1.0])
def test_batch_hard_is_what_it_is_by_hand(margin: float) -> None:
    generator = torch.Generator().manual_seed(0)
    y = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 3])  # the last one is alone
    embedding = torch.randn(9, 4, generator=generator) + y[:, None]
    loss, active = batch_hard(embedding, y, margin)
    assert (float(loss), float(active)) == pytest.approx(by_hand(embedding, y, margin), rel=1e-5)


@pytest.mark.parametrize("y", [[0, 1, 2], [0, 0, 0]])
def test_no_triplet_is_no_loss(y: list[int]) -> None:
    embedding = torch.randn(3, 4, requires_grad=True)
    loss, active = batch_hard(embedding, torch.tensor(y), 0.05)
    loss.backward()
    assert loss == active == 0 and not embedding.grad.any()


def test_a_transformer_learns_to_tell_apart() -> None:
    """Far classes have no active triplet any more, and the same embeddings have only active ones."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(24) % 3
    x = torch.randn(24, 5, 2, generator=generator) + y[:, None, None]
    options = {"d_model": 16, "nhead": 2, "d_hid": 16, "nlayers": 1, "dropout": 0.0}
    model = build(TransformerTriplet(**options, d_lin=16, d_out=4), (5, 2)).train()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    shares = []
    for _ in range(60):
        loss, active = batch_hard(model(x), y, 0.5)
        shares.append(float(active))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert shares[0] > 0.9 and shares[-1] < 0.2
    assert batch_hard(torch.ones(24, 4), y, 0.5)[1] == 1
