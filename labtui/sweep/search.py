"""The memory of a search: which candidates were drawn and what came of them, in an Optuna journal.

`runs/.labtui/sweeps/<id>/journal.log` is appended to by every machine that searches: Optuna's lock
file keeps them apart where a network's file system has no other lock. A candidate is one of Optuna's
trials, and a cell of the sweep with the trial's number. What a trial gave is in its runs, so that
a journal that is lost, or of another space, is put together again from them. This module and
`journal`, which has the file, open Optuna.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from labtui.errors import JournalError, RecipeError
from labtui.files import process
from labtui.files.paths import SweepPaths
from labtui.recipe.sweep import Pruner, Range
from labtui.sweep.cells import Cell
from labtui.sweep.journal import guarded, remedy, storage
from labtui.sweep.plan import Plan
from labtui.sweep.space import Params, Space, titled, word

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as Drawn

FORMAT = 1
"""Of what labtui has in the journal."""
TRIES = 100
"""So many candidates in a row may be unfit, or known already."""
LEARNT = 10
"""The first so many of them are what the method proposes; those after them are drawn at random."""
UNFINISHED = 60.0
"""Seconds after which nobody is still at drawing a candidate."""
_NAME = re.compile(r"labtui-(\d+)-(\d+)-([0-9a-f]+)")
"""Of a study: format, a number counted up, and what it is a search of."""
_OUT, _CELL, _HOST = "out", "cell", "host"
"""Attributes of a trial: why it is no cell; its cell, where that is not its number; who drew it."""
_STATES = {"RUNNING": "open", "WAITING": "open", "COMPLETE": "done", "PRUNED": "pruned", "FAIL": "failed"}


class Trial(NamedTuple):
    """A candidate."""

    cell: Cell
    state: str
    """open, done, pruned or failed."""
    value: float | None
    """What came of it; of a pruned one, what it had by then."""
    host: str
    """The machine that drew it, and has its runs made."""


class Search:
    """The candidates of one sweep. One of a machine's processes at a time may have it open.

    Args:
        goal: "min" or "max".
        metric: what is looked for.
        known: from the first number that the journal does not know, what stands for each cell that has runs;
            None for one that the space does not have.

    Raises:
        JournalError: the journal cannot be read.
        LabError: it cannot be written.
    """

    def __init__(
        self,
        paths: SweepPaths,
        plan: Plan,
        metric: str,
        goal: str,
        known: Callable[[int], Mapping[int, Params | None]] = lambda first: {},
    ) -> None:
        self.paths, self.sweep, self.goal = paths, plan.sweep, goal
        self.space = Space(plan.sweep, plan.resolver.tables)
        self._distributions = {key: _distribution(values) for key, values in plan.sweep.space.items()}
        told = [plan.resolver.key({}), metric, goal, str(plan.sweep.repeats)]
        told += [f"{key} {of!r} {plan.sweep.when.get(key)}" for key, of in self._distributions.items()]
        self._is = blake2b("\n".join(told).encode(), digest_size=8).hexdigest()
        self._known: dict[int, Trial] = {}
        self._epochs = (plan.resolver.tables.get("train") or {}).get("epochs")
        with guarded(paths):
            self._storage = storage(paths)
            self._study = self._opened()
            self._tidy()
            self._adopt(known)

    def trials(self, *states: str) -> list[Trial]:
        """The candidates that are cells, in order; of these states only, if any are given."""
        with guarded(self.paths):
            found: dict[int, Trial] = {}
            for one in self._study.get_trials(deepcopy=False):
                trial = self._trial(one)
                if trial is not None:  # a later one of the same cell says what came of it in the end
                    found[trial.cell.number] = trial
        return [trial for trial in found.values() if not states or trial.state in states]

    def ask(self, check: Callable[[Cell], None] = lambda cell: None) -> Cell | None:
        """The next candidate; None when nothing new has come in TRIES draws.

        Args:
            check: raises RecipeError for a cell that the recipe cannot have.

        Raises:
            RecipeError: none of TRIES candidates was one that fits.
            LabError: the journal cannot be written.
        """
        unfit, why = 0, ""
        with guarded(self.paths):
            for tried in range(TRIES):
                cell, out = self._draw(check, at_random=tried >= LEARNT)
                if not out:
                    return cell
                unfit, why = unfit + (out != "known"), why if out == "known" else out
        if unfit < TRIES:
            return None
        raise RecipeError(
            f"sweep: {TRIES} candidates one after the other do not fit ({why}): loosen sweep.constraints, or "
            "narrow sweep.space to what fits"
        )

    def tell(self, number: int, value: float | None, *, pruned: bool = False) -> None:
        """Say what came of a cell; None: nothing. What has been said before stays, unless that was nothing.

        Raises:
            LabError: the journal cannot be written.
        """
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        with guarded(self.paths):
            trial = self._last(number)
            state = TrialState.PRUNED if pruned else TrialState.FAIL if value is None else TrialState.COMPLETE
            if trial.state == TrialState.RUNNING:
                with suppress(UpdateFinishedTrialError):  # another machine was faster
                    self._study.tell(trial.number, None if pruned else value, state, skip_if_finished=True)
            elif trial.state == TrialState.FAIL != state:
                self._add(
                    trial.params, state, None if pruned else value, {_CELL: number, _HOST: process.host()}
                )

    def report(self, number: int, epoch: int, value: float) -> bool:
        """Say what a cell has reached by an epoch; whether it is hopeless.

        Raises:
            LabError: the journal cannot be written.
        """
        with guarded(self.paths):
            trial = self._last(number)
            if trial.state.is_finished() or epoch in trial.intermediate_values:
                return False
            id = self._storage.get_trial_id_from_study_id_trial_number(self._id, trial.number)
            self._storage.set_trial_intermediate_value(id, epoch, value)
            return self._study.pruner.prune(self._study, self._last(number))

    def reported(self, number: int) -> int:
        """The last epoch that was reported of a cell; 0: none."""
        return self._last(number).last_step or 0

    @property
    def _id(self) -> int:
        return self._storage.get_study_id_from_name(self._study.study_name)

    def _last(self, number: int) -> FrozenTrial:
        """The newest trial of a cell."""
        trials = self._study.get_trials(deepcopy=False)
        return next(one for one in reversed(trials) if one.user_attrs.get(_CELL, one.number) == number)

    def _trial(self, one: FrozenTrial) -> Trial | None:
        """A trial as a candidate; None: it is none, or not yet whole."""
        if (known := self._known.get(one.number)) is not None:
            return known
        host = one.user_attrs.get(_HOST)
        if host is None or _OUT in one.user_attrs:
            return None
        try:
            values = self.space.drawn(one.params.__getitem__)
        except KeyError:
            return None
        cell = Cell(one.user_attrs.get(_CELL, one.number), titled(values), values)
        found = Trial(cell, _STATES[one.state.name], one.values[0] if one.values else None, host)
        if one.state.is_finished():
            self._known[one.number] = found
        return found

    def _draw(self, check: Callable[[Cell], None], at_random: bool) -> tuple[Cell, str]:
        """A candidate, and why it is none."""
        before = self._study.get_trials(deepcopy=False)
        self._study.sampler = self._sampler(len(before), at_random)
        trial = self._study.ask()
        values = self.space.drawn(lambda key: _suggested(trial, key, self._distributions[key]))
        cell, out, value = Cell(trial.number, titled(values), values), "", None
        params = trial.params
        if not self.space.fits(values):
            out = "sweep.constraints"
        elif same := next((one for one in before if one.params == params and self._trial(one)), None):
            out, value = "known", same.values[0] if same.state.name == "COMPLETE" and same.values else None
        else:
            try:
                check(cell)
            except RecipeError as error:
                out = str(error)
        if out:
            trial.set_user_attr(_OUT, out)
            self.tell(cell.number, value)
        else:
            trial.set_user_attr(_HOST, process.host())
        return cell, out

    def _sampler(self, number: int, at_random: bool = False) -> BaseSampler:
        """The method, with numbers that only the sweep's seed and the trial's number decide: a search gives the
        same however often it was interrupted, and machines that search together draw different ones."""
        from optuna import samplers
        from optuna.exceptions import ExperimentalWarning

        seed = int.from_bytes(blake2b(f"{self.sweep.seed} {number}".encode(), digest_size=4).digest(), "big")
        method, by_chance = self.sweep.method, samplers.RandomSampler(seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            if at_random or method == "random":
                return by_chance
            if method == "tpe":
                return samplers.TPESampler(
                    seed=seed, multivariate=True, group=bool(self.sweep.when), constant_liar=True
                )
            if method == "nsgaii":
                return samplers.NSGAIISampler(seed=seed)
            # One sequence for all: the journal counts how far it is.
            return samplers.QMCSampler(
                seed=self.sweep.seed,
                scramble=True,
                independent_sampler=by_chance,
                warn_independent_sampling=False,
            )

    def _opened(self) -> Study:
        """The newest study in the journal, if it is of this search; else another one."""
        import optuna

        names = [study.study_name for study in self._storage.get_all_studies()]
        found = [_NAME.fullmatch(name) for name in names]
        newest = max((match for match in found if match), key=lambda match: int(match[2]), default=None)
        if None in found or (newest and int(newest[1]) != FORMAT):
            raise JournalError(
                f"{self.paths.journal}: was written by another version, or another program{remedy(self.paths)}"
            )
        pruner = _pruner(self.sweep.pruner, self._epochs)
        if newest and newest[3] == self._is:
            return optuna.load_study(
                study_name=newest[0], storage=self._storage, sampler=self._sampler(0, True), pruner=pruner
            )
        return optuna.create_study(
            study_name=f"labtui-{FORMAT}-{int(newest[2]) + 1 if newest else 1}-{self._is}",
            storage=self._storage,
            sampler=self._sampler(0, True),
            pruner=pruner,
            direction="minimize" if self.goal == "min" else "maximize",
        )

    def _tidy(self) -> None:
        """Give up the candidates that somebody was killed over while he drew them."""
        from optuna.trial import TrialState

        long_ago = datetime.now() - timedelta(seconds=UNFINISHED)
        for one in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if self._trial(one) is None and one.datetime_start and one.datetime_start < long_ago:
                self._study.tell(one.number, state=TrialState.FAIL, skip_if_finished=True)

    def _adopt(self, known: Callable[[int], Mapping[int, Params | None]]) -> None:
        """Take over the cells that have runs and no trial, each with its number."""
        from optuna.trial import TrialState

        first = len(self._study.get_trials(deepcopy=False))
        cells = known(first)
        for number in range(first, max(cells, default=-1) + 1):
            if (params := cells.get(number)) is not None:
                with suppress(ValueError):  # between two steps of a range, for example
                    self._add(params, TrialState.RUNNING, None, {_HOST: process.host()})
                    continue
            self._add({}, TrialState.FAIL, None, {_OUT: "of another space"})

    def _add(self, params: Params, state: Any, value: float | None, attributes: dict[str, Any]) -> None:
        from optuna.trial import create_trial

        distributions = {key: self._distributions[key] for key in params}
        self._study.add_trial(
            create_trial(
                state=state, params=params, distributions=distributions, value=value, user_attrs=attributes
            )
        )


def _distribution(values: list[Any] | Range) -> BaseDistribution:
    """What Optuna draws a key's value from."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(values, Range):
        return CategoricalDistribution(list(dict.fromkeys(map(word, values))))
    low, high, step = values.low, values.high, values.step
    if step is not None:  # Optuna wants the last step to end at the bound
        steps = (Decimal(str(high)) - Decimal(str(low))) // Decimal(str(step))
        last = Decimal(str(low)) + steps * Decimal(str(step))
        high = int(last) if values.whole else float(last)
    if values.whole:
        return IntDistribution(int(low), int(high), values.log, int(step or 1))
    return FloatDistribution(float(low), float(high), values.log, None if step is None else float(step))


def _suggested(trial: Drawn, key: str, of: BaseDistribution) -> Any:
    """A number or a word that the method proposes."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(of, CategoricalDistribution):
        return trial.suggest_categorical(key, of.choices)
    if isinstance(of, IntDistribution):
        return trial.suggest_int(key, of.low, of.high, step=of.step, log=of.log)
    assert isinstance(of, FloatDistribution)
    return trial.suggest_float(key, of.low, of.high, step=of.step, log=of.log)


def _pruner(pruner: Pruner | None, epochs: Any) -> BasePruner:
    """What ends trials early; its steps are epochs.

    Args:
        epochs: of a training; no number: not known.
    """
    from optuna import pruners

    if pruner is None:
        return pruners.NopPruner()
    first = max(1, pruner.warmup)
    if pruner.name == "median":
        return pruners.MedianPruner(n_startup_trials=pruner.startup, n_warmup_steps=pruner.warmup)
    if pruner.name == "asha":
        return pruners.SuccessiveHalvingPruner(min_resource=first, reduction_factor=pruner.reduction)
    most = max(epochs, first) if isinstance(epochs, int) else "auto"
    return pruners.HyperbandPruner(min_resource=first, max_resource=most, reduction_factor=pruner.reduction)
