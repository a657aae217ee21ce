"""The loop that all trainings of a group go through, each at its own pace.

Steps are done in blocks: for so many steps that no training comes to the end of an epoch, and not for long.
What a block needs is put on the device before it, and what came of it is looked at after it, so that nothing
in a step waits, and a step costs nothing more for a training more. Between two blocks each training is looked
after as it is alone between two steps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labtui.engine.batch import Batch
from labtui.engine.tally import NotFinite
from labtui.engine.together.block import Block, Done
from labtui.engine.together.feed import Feed
from labtui.engine.together.functional import Mask, rates
from labtui.engine.together.member import Member
from labtui.engine.together.noise import draw
from labtui.engine.together.stack import Given, Stack
from labtui.engine.world import WRITE

PAUSE = 0.1
"""Seconds that a block takes at most, if it has more than one step: as long as records wait to be written."""
MOST_STEPS, MOST_VALUES = 256, 2**20
"""Steps of a block at most; output values of all rows that are kept until its end."""
SCORED = 256
"""Samples that are scored at once, at least."""
MOST_SCORED = 2**24
"""Values of samples, over all rows, up to which more are scored at once than in a step."""
WASTE = 0.25
"""Part of the rows that may be of trainings that have ended: making others costs more than a few steps."""

Left = Callable[[Member, str | None, BaseException | None], None]
"""What is done when a training leaves: it ended by itself, was asked to ("stop", "kill"), or failed."""


class Group:
    """Trainings that go on together until each has ended.

    Args:
        members: of one kind; each may be at the beginning or in the middle.
        stack, feed: of their rows, in this order.
        left: called when one leaves, with its own weights and optimiser up to date.
    """

    def __init__(self, members: Sequence[Member], stack: Stack, feed: Feed, left: Left) -> None:
        self.rows: list[Member | None] = list(members)
        self.stack, self.feed, self.left = stack, feed, left
        self.device = feed.device
        self._rates = [rates(member.parts.model) for member in members]
        for member in members:
            member.watch.stacked, member.watch.budget.among = True, len(members)
        self._masks: dict[int, list[Mask]] = {}
        self._pace = PAUSE
        """Seconds of one step."""
        stack.start([(member.parts, member.step) for member in members])

    @property
    def members(self) -> list[tuple[int, Member]]:
        """Those who are there, and their rows."""
        return [(row, member) for row, member in enumerate(self.rows) if member is not None]

    def run(self) -> None:
        """Train until all have left."""
        arrived = self.members
        while True:
            self._arrive(arrived)
            self._restack()
            if not self.members:
                return
            self._block()
            arrived = [(row, one) for row, one in self.members if one.place == len(one.sizes)]
            for row, member in arrived:
                with self._own(row, member):
                    member.end()
            arrived = [(row, one) for row, one in arrived if self.rows[row] is one]

    @contextmanager
    def _own(self, row: int, member: Member) -> Iterator[None]:
        """What goes wrong inside is one training's own affair."""
        try:
            yield
        except NotFinite as error:
            try:
                lost: BaseException = member.lost(error)
            except Exception as other:
                lost = other
            self._leave(row, member, None, lost)
        except Exception as error:
            self._leave(row, member, None, error)

    def _leave(self, row: int, member: Member, asked: str | None, error: BaseException | None) -> None:
        self.rows[row] = None
        member.bring = lambda: None
        self.left(member, asked, error)

    def _restack(self) -> None:
        """Leave out the rows of those who have left, when they are many."""
        rows = [row for row, _ in self.members]
        if len(self.rows) - len(rows) <= WASTE * len(self.rows):
            return
        if not rows:
            self.rows = []
            return
        self.stack.keep(rows)
        self.feed.keep(rows)
        self.rows = [self.rows[row] for row in rows]
        self._rates = [self._rates[row] for row in rows]
        for row, member in self.members:
            self._serve(row, member)

    def _serve(self, row: int, member: Member) -> None:
        member.bring = lambda: self.stack.give(row, member.parts, state=True)

    def _arrive(self, arrived: Sequence[tuple[int, Member]]) -> None:
        """Do what is due at the end of an epoch for those who are there, and begin the next."""
        due = []
        for row, member in arrived:
            self._serve(row, member)
            self.stack.give(row, member.parts)
            if not member.resumed and member.evaluates():
                due.append((row, member))
        self._score(due)
        for row, member in arrived:
            with self._own(row, member):
                ends = member.arrive()
                member.seen = []
                if ends:
                    self._leave(row, member, None, None)
                else:
                    member.begin()

    def _score(self, due: Sequence[tuple[int, Member]]) -> None:
        """Let the members know what their models make of their validation splits."""
        if not due:
            return
        splits = [member.parts.samples["val"] for _, member in due]
        first = splits[0]
        alone = max(member.pieces.without_gradient() for _, member in due)
        room = MOST_SCORED // (len(due) * first.shelf.dataset.example.numel())
        size = max(alone, min(SCORED, room))
        for _, member in due:
            member.seen = []
        if all(one.shelf is first.shelf and torch.equal(one.index, first.index) for one in splits):
            for batch in first.batches(size):
                found = self.stack.evaluate([row for row, _ in due], batch.x, batch.y, shared=True)
                for (_, member), loss, output in zip(due, *found, strict=True):
                    member.seen.append((loss, output, batch.y))
            return
        for alike in _alike([list(split.batches(size)) for split in splits]):
            some = [due[place] for place, _ in alike]
            x, y = torch.stack([one.x for _, one in alike]), torch.stack([one.y for _, one in alike])
            found = self.stack.evaluate([row for row, _ in some], x, y, shared=False)
            for (_, member), loss, output, target in zip(some, *found, y, strict=True):
                member.seen.append((loss, output, target))

    def _block(self) -> None:
        """Do some steps of all, and look after each."""
        rows = self._taking_part()
        block = Block(rows, self._most())
        waiting = [row for row, member in self.members if rows[row] is not member]
        rates, begun = block.rates(), time.perf_counter()
        with self.stack.untouched(waiting):
            done = self._steps(block, rates)
        self._pace = (time.perf_counter() - begun) / block.steps
        for row, member in enumerate(rows):
            if member is None:
                continue
            with self._own(row, member):
                member.set_lr(float(rates[-1, row]))
                member.record(done.losses[row], done.norms[row] if done.norms else None)
                member.count(*done.of(row, block.sizes[row]))
                self._ask(row, member)

    def _taking_part(self) -> Sequence[Member | None]:
        """The rows that do the next steps: all, unless padding would show and not all have as many samples.
        Then those with the fewest, who are at the end of their epochs."""
        if not self.stack.averages:
            return self.rows
        least = min(one.sizes[one.place] for _, one in self.members)
        return [one if one and one.sizes[one.place] == least else None for one in self.rows]

    def _steps(self, block: Block, rates: NDArray[np.float64]) -> Done:
        places, share = block.places(), block.share(self.device)
        augment = [None if one is None else one.augment for one in block.rows]
        steps = []
        for at, numbers in zip(places, self.stack.optimizer.plan(rates), strict=True):
            x = self.feed.inputs(at, block.sizes, augment)
            given = Given(x, self.feed.targets(at), share, self._noise(x, block))
            steps.append(self.stack.step(given, numbers))
        return Done(steps, self.feed.targets(places))

    def _most(self) -> int:
        """Steps of a block at most."""
        first = self.members[0][1]
        values = (
            len(self.rows) * first.recipe.train.batch_size * math.prod(first.parts.objective.expected or ())
        )
        return max(1, min(MOST_STEPS, MOST_VALUES // values, int(PAUSE / self._pace)))

    def _noise(self, x: Tensor, block: Block) -> tuple[Tensor, ...]:
        """The masks (rows, …) of a step on x (rows, n, …)."""
        if not any(self.stack.model.highest):
            return ()
        if x.shape[1] not in self._masks:
            self._masks[x.shape[1]] = self.stack.model.masks(x[0])
        generators = [None if one is None else one.noise for one in block.rows]
        return draw(self._masks[x.shape[1]], self._rates, generators, block.sizes, self.device)

    def _ask(self, row: int, member: Member) -> None:
        """Do what somebody wants of a training, and write its checkpoint when it is time."""
        word = member.asked() or (WRITE if member.checkpoints.due_within_epoch() else None)
        if word and word != "kill":
            member.write()
        if word and word != WRITE:
            self._leave(row, member, word, None)


def _alike(lists: Sequence[Sequence[Batch]]) -> Iterator[list[tuple[int, Batch]]]:
    """The first of each list, the second, …; those of one shape together, with the place of their list."""
    for number in range(max(map(len, lists))):
        by_shape: dict[torch.Size, list[tuple[int, Batch]]] = {}
        for place, one in enumerate(lists):
            if number < len(one):
                by_shape.setdefault(one[number].x.shape, []).append((place, one[number]))
        yield from by_shape.values()
