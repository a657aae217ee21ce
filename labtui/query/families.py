"""Runs put together by what is trained on what: the model families of a lab, and what was tried with each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from labtui.files import goals
from labtui.query.aggregate import Aggregate, Group, aggregate, goal_of, hyperparameters, monitored
from labtui.query.analysis import NOT_ANALYSED
from labtui.query.parameters import Parameter, parameter
from labtui.query.spread import counted, figure

if TYPE_CHECKING:
    from labtui.recipe.spec import Spec

Fields = Mapping[str, Any]

MODEL = ("model.name", "model.factory", "params.model", "params.model.name", "params.arch")
DATA = ("data.name", "data.factory", "params.data", "params.data.name", "params.dataset")
"""Keys that may say what is trained, and on what; of a program that says neither, its name is its family."""
_FEW = 6
"""Values of an option up to which each is listed."""
_SETTLED = ("data.", "loss.", "optimizer.name", "schedule.name", "train.clip_norm", "train.batch_size")
_SWITCHES = ("train.clip_norm", "train.clip_value", "validate.patience")
_NO_CHOICE = (
    "data.name", "data.factory", "data.path", "data.cache", "data.leave_out", "data.layout", "data.subset",
    "data.on_error", "data.kept", "loss.report",
)  # fmt: skip


class Value(NamedTuple):
    """One value of an option, or all of many."""

    label: str
    runs: int
    """Runs that have it, in whatever state."""
    best: float | None
    """The best mean of a configuration that has it; None where none has finished."""


class Option(NamedTuple):
    """An option of which more than one value was tried."""

    key: str
    values: list[Value]
    """In their order; of more than a few: one, that says from where to where."""
    best: str
    """The value of the best configuration; empty where there is none."""


@dataclass(frozen=True, eq=False)
class Family:
    """All runs of one model on one kind of data."""

    data: str
    """Name of the data set; empty where nobody said."""
    model: str
    rows: list[Fields]
    """Oldest first."""

    @property
    def name(self) -> str:
        """The model, and the data."""
        return f"{self.model} on {self.data}" if self.data else self.model

    @cached_property
    def metric(self) -> str:
        """What most of its runs monitor, by which configurations are compared; empty: nothing."""
        found = Counter(metric for row in self.rows if (metric := monitored(row)))
        found = found or Counter(str(row["params"].get("validate.monitor") or "") for row in self.rows)
        return found.most_common(1)[0][0]

    @cached_property
    def goal(self) -> str | None:
        """ "min" or "max"; None where nobody said."""
        return goal_of(self.rows, self.metric) or (None if self._logged else goals.goal_of(self.metric))

    @cached_property
    def _logged(self) -> bool:
        return any(self.metric in row["metrics"] for row in self.rows)

    @cached_property
    def test(self) -> str:
        """The same figure on test data; empty: there is none."""
        name = f"test.{self.metric.partition('.')[2]}"
        known = self.metric and any(name in row["metrics"] for row in self.rows)
        return name if known and name != self.metric else ""

    @property
    def states(self) -> Counter[str]:
        """How many runs are in each state."""
        return Counter(str(row["state"]) for row in self.rows)

    @property
    def recipes(self) -> list[str]:
        """Files, or names where there is none, that its runs came from."""
        return list(dict.fromkeys(source(row) for row in self.rows))

    @cached_property
    def table(self) -> Aggregate:
        """Its configurations: folds and repeats put together."""
        logged = self.metric if self._logged else ""
        return aggregate(self.rows, metrics=[name for name in (logged, self.test) if name])

    @cached_property
    def ranked(self) -> list[Group]:
        """The configurations that have a figure, the best first. Those whose runs have all finished come before
        those of which some have not: the mean of some folds says little of all."""
        if not self._logged or self.goal is None:
            return []
        sign = 1.0 if self.goal == "min" else -1.0

        def rank(group: Group) -> tuple[bool, float]:
            return group.states.keys() != {"finished"}, sign * (group.spreads[self.metric].mean or 0.0)

        known = [group for group in self.table.groups if group.spreads[self.metric].mean is not None]
        return sorted(known, key=rank)

    @property
    def best(self) -> Group | None:
        """The best configuration."""
        return self.ranked[0] if self.ranked else None

    def run_of(self, group: Group) -> Fields:
        """The run of a configuration with the best figure."""
        known = [(figure(row, self.metric), row) for row in group.rows if counted(row)]
        found = [(value, row) for value, row in known if value is not None]
        choose = min if self.goal == "min" else max
        return choose(found, key=lambda pair: pair[0])[1] if found else group.rows[0]

    @property
    def chance(self) -> dict[str, float]:
        """Metric to what the best constant answer has, by the best run (or else the newest that says it)."""
        rows = [self.run_of(self.best)] if self.best else []
        for row in [*rows, *reversed(self.rows)]:
            found = row["facts"].get("baseline")
            if isinstance(found, Mapping) and found:
                return {name: float(v) for name, v in found.items() if isinstance(v, int | float)}
        return {}

    @cached_property
    def options(self) -> list[Option]:
        """What was varied, in the recipe's order; a table that some runs have and some have not is one option."""
        found, done = [], set[str]()
        for key in self.table.keys:
            table = self._now_and_then(key)
            if (name := table or key) not in done and not key.startswith(NOT_ANALYSED):
                done.add(name)
                found.append(self._option(name, [self._value(row, key, table) for row in self.rows]))
        return found

    @cached_property
    def settled(self) -> dict[str, Any]:
        """What was never varied of the data, the loss, the optimiser, the schedule, the batches."""
        varied = set(hyperparameters(self.rows))
        first = self.rows[-1]["params"]
        keys = [key for key in first if key.startswith(_SETTLED) and key not in _NO_CHOICE]
        return {key: first[key] for key in keys if key not in varied}

    @cached_property
    def unused(self) -> list[str]:
        """What could be switched on, and never was: of the data, the gradients and the end of a training."""
        from labtui.recipe.core import SPECS  # pydantic: for reports only

        if (spec := _spec(SPECS["data"], self.data)) is None:
            return []
        absent = [f"data.{key}" for key, one in spec.model_fields.items() if one.default is None]
        used = {key for row in self.rows for key in row["params"]}
        return [
            key
            for key in (*absent, *_SWITCHES)
            if key not in used and not any(name.startswith(f"{key}.") for name in used)
        ]

    @cached_property
    def about(self) -> str:
        """What the model is, in words, where it is one of labtui's own; else empty."""
        from labtui.recipe.core import SPECS

        spec = _spec(SPECS["model"], self.model)
        return " ".join((spec.__doc__ or "").split()) if spec else ""

    def _now_and_then(self, key: str) -> str:
        """The table of a key (`data.augment` of `data.augment.flip`), where only some runs have it, and all of
        those the same; else empty."""
        table = key.rpartition(".")[0]
        if table.count(".") < 1:
            return ""
        inside = [
            tuple(sorted((k, repr(v)) for k, v in row["params"].items() if k.startswith(f"{table}.")))
            for row in self.rows
        ]
        return table if () in inside and len(set(inside)) == 2 else ""

    @staticmethod
    def _value(row: Fields, key: str, table: str) -> Any:
        value = row["params"].get(key)
        return ("no" if value is None else "yes") if table else value

    def _option(self, key: str, values: Sequence[Any]) -> Option:
        column = parameter(key, values)
        means = self._means()
        labels = [column.label(value) for value in column.column.tolist()]
        place = {id(row): at for at, row in enumerate(self.rows)}
        best = labels[place[id(self.best.rows[0])]] if self.best else ""
        return Option(key, _values(column, labels, means, self.goal), best)

    def _means(self) -> list[float | None]:
        """The mean of the configuration that each run is of."""
        if not self._logged:
            return [None] * len(self.rows)
        found = {id(row): g.spreads[self.metric].mean for g in self.table.groups for row in g.rows}
        return [found[id(row)] for row in self.rows]


def _values(
    column: Parameter, labels: Sequence[str], means: Sequence[float | None], goal: str | None
) -> list[Value]:
    choose = min if goal == "min" else max

    def value(label: str, places: Iterable[int]) -> Value:
        chosen = list(places)
        known = [mean for at in chosen if (mean := means[at]) is not None]
        return Value(label, len(chosen), choose(known) if known and goal else None)

    by: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        by.setdefault(label, []).append(at)
    order = sorted(column.distinct.tolist()) + ([math.nan] if column.missing else [])
    if len(order) <= _FEW:
        return [value(label, by[label]) for label in dict.fromkeys(column.label(one) for one in order)]
    if column.kind == "category":
        return [value(f"{len(order)} values", range(len(labels)))]
    low, high = column.distinct[[0, -1]].tolist()
    return [value(f"{len(order)} values, {column.label(low)} to {column.label(high)}", range(len(labels)))]


def _spec(specs: Iterable[type[Spec]], name: str) -> type[Spec] | None:
    """What is known of a part of that name."""
    known = (one for one in specs if "name" in one.model_fields)
    return next((one for one in known if one.model_fields["name"].default == name), None)


def source(row: Fields) -> str:
    """The file that a run came from, or else its name."""
    return str(row["recipe"] or row["name"])


def families(rows: Iterable[Fields]) -> list[Family]:
    """The families of some runs, by their data sets, in the order in which their first runs were made."""
    found: dict[tuple[str, str], list[Fields]] = {}
    for row in sorted(rows, key=lambda row: str(row["id"])):
        found.setdefault((_first(row, DATA), model_of(row) or str(row["name"])), []).append(row)
    made = [Family(data, model, own) for (data, model), own in found.items()]
    places = {data: place for place, data in reversed([*enumerate(one.data for one in made)])}
    return sorted(made, key=lambda one: places[one.data])


def model_of(row: Fields) -> str:
    """What is trained; empty where nobody said."""
    return _first(row, MODEL)


def _first(row: Fields, keys: Sequence[str]) -> str:
    params = row["params"]
    return next((str(params[key]) for key in keys if isinstance(params.get(key), str) and params[key]), "")
