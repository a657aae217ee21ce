"""How much each key matters for a figure, by Optuna's evaluators.

* Up to FORESTS cells: **fANOVA** (Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing
  hyperparameter importance"): a random forest is fit to the cells, and the variance of its predictions over
  the whole space is split among the keys. Its time grows with the square of the cells.
* Beyond: **PED-ANOVA** (Watanabe, Bansal and Hutter 2023, "PED-ANOVA: efficiently quantifying
  hyperparameter importance in arbitrary subspaces"): how differently the best tenth of the cells lie in a
  key than all of them do. It asks what it takes to be among the best, not what makes a difference anywhere.

Importances are of single keys and add up to 1; what keys do together only is not in them. They say nothing
where the figure does not follow from the keys. So a random forest is asked, too, how well it predicts the
cells that each of its trees has not seen; below RELIABLE that is said.

A key that is seen one by one counts by the order of its values, each as likely as the others; other numbers
count on the scale that they are seen on. A number that a cell does not have counts as the median: that it is
missing is told by the key that decides it. A missing category is one more category.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from labtui.query.parameters import FEW, Floats, Parameter, bins

if TYPE_CHECKING:
    from labtui.query.analysis import Analysis

LEAST = 8
"""Cells below which there is nothing to fit."""
FORESTS = 200
"""Cells up to which fANOVA takes seconds."""
RELIABLE = 0.3
"""R² on unseen cells below which the importances are to be doubted."""
SEED = 0
_TRIED = 1000
"""Cells from which R² is found."""


class Importance(NamedTuple):
    """Which keys matter, or why that cannot be said."""

    method: str
    """fANOVA, PED-ANOVA; empty where it cannot be said."""
    cells: int
    shares: dict[str, float]
    """Key to its part, together 1, the largest first; empty where it cannot be said."""
    r2: float | None
    """Part of the variance between unseen cells that a random forest predicts; at most 1, negative when it
    is worse than their mean."""
    remark: str
    """What to beware of; empty when there is nothing."""


@lru_cache(maxsize=2)  # table and picture of one report ask for the same
def importance(analysis: Analysis) -> Importance:
    """The importance of the keys of an analysis. The same cells give the same figures."""
    cells, values = len(analysis.groups), analysis.values
    if reason := _refusal(analysis):
        return Importance("", cells, {}, None, reason)
    columns = [_column(one) for one in analysis.parameters]
    large = cells > FORESTS
    shares = _evaluate(analysis.parameters, columns, values / np.abs(values).max(), analysis.goal, large)
    r2 = _unseen(columns, analysis.parameters, values)
    remark = ""
    if r2 < RELIABLE:
        remark = (
            f"a forest predicts little of unseen cells (R² {r2:.2f}): these importances may be chance; more "
            "cells or repeats would tell"
        )
    return Importance("PED-ANOVA" if large else "fANOVA", cells, shares, r2, remark)


def _refusal(analysis: Analysis) -> str:
    cells = len(analysis.groups)
    if cells < LEAST:
        return f"importances need {LEAST} cells or more; there are {cells}"
    if not analysis.parameters:
        return "the cells differ in nothing"
    if analysis.values.min() == analysis.values.max():
        return f"{analysis.metric} is the same in all cells"
    if cells > FORESTS and analysis.goal is None:
        return f"which way {analysis.metric} is better is not known; give it in the recipe's [goals]"
    return ""


def _column(one: Parameter) -> Floats:
    """A key as numbers without gaps."""
    if one.kind == "category":
        return bins(one).codes.astype(np.float64)
    known = ~np.isnan(one.column)
    if one.distinct.size <= FEW:
        column = np.searchsorted(one.distinct, one.column).astype(np.float64)
        column[~known] = np.round(np.median(column[known]))
    else:
        column = one.scaled.copy()
        column[~known] = np.median(column[known])
    return column


def _evaluate(
    parameters: Sequence[Parameter], columns: Sequence[Floats], values: Floats, goal: str | None, large: bool
) -> dict[str, float]:
    import optuna
    from optuna.importance import (
        FanovaImportanceEvaluator,
        PedAnovaImportanceEvaluator,
        get_param_importances,
    )

    names = [str(i) for i in range(len(parameters))]  # of ours: a key may be any text
    spaces = {n: _space(p, c) for n, p, c in zip(names, parameters, columns, strict=True)}
    told = [_told(p, c) for p, c in zip(parameters, columns, strict=True)]
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(direction="minimize" if goal == "min" else "maximize")
        study.add_trials(
            optuna.trial.create_trial(
                params=dict(zip(names, cell, strict=True)), distributions=spaces, value=value
            )
            for cell, value in zip(zip(*told, strict=True), values.tolist(), strict=True)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            evaluator: Any = PedAnovaImportanceEvaluator() if large else FanovaImportanceEvaluator(seed=SEED)
            found = get_param_importances(study, evaluator=evaluator)
    finally:
        optuna.logging.set_verbosity(before)
    ordered = sorted(found.items(), key=lambda pair: (-pair[1], int(pair[0])))
    return {parameters[int(name)].name: float(share) for name, share in ordered}


def _space(one: Parameter, column: Floats) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.kind == "category":
        return CategoricalDistribution(list(range(int(column.max()) + 1)))
    if one.distinct.size <= FEW:
        return IntDistribution(0, one.distinct.size - 1)
    return FloatDistribution(float(column.min()), float(column.max()))


def _told(one: Parameter, column: Floats) -> list[Any]:
    if one.kind == "category" or one.distinct.size <= FEW:
        return [int(value) for value in column.tolist()]
    return list(column.tolist())


def _unseen(columns: Sequence[Floats], parameters: Sequence[Parameter], values: Floats) -> float:
    """R² of a random forest on cells that its trees have not seen ("out of bag", Breiman 2001)."""
    from sklearn.ensemble import RandomForestRegressor

    parts = []
    for one, column in zip(parameters, columns, strict=True):
        several = one.kind == "category" and column.max() > 1
        parts.append(np.eye(int(column.max()) + 1)[column.astype(int)] if several else column[:, None])
    x, y = np.concatenate(parts, axis=1), values / np.abs(values).max()
    if len(y) > _TRIED:
        some = np.random.default_rng(SEED).choice(len(y), _TRIED, replace=False)
        x, y = x[some], y[some]
    # With 200 trees no cell is in all bags, so that each is predicted by some.
    forest = RandomForestRegressor(200, oob_score=True, random_state=SEED, max_features=1.0)
    return float(forest.fit(x, y).oob_score_)
