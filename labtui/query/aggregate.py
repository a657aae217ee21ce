"""Runs put together by their recipes: one group a cell, its folds and repeats its members.

Figures are those of finished members. A metric alone (`val.acc`) is its value at the monitored metric's best
epoch, the protocol "early stopping"; `val.acc.last` is its newest, "last epoch"; `.best`, `.min`, `.max` as
in filters. Whoever picks the best epoch by the scores that are reported reports too much: so the two
protocols stand side by side, and `.best` is never taken unasked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labtui.errors import FilterError
from labtui.files.toml import short_keys
from labtui.query.difference import Difference, Observation, differences
from labtui.query.rows import goal_of, look_up, require
from labtui.query.spread import STATS, Spread, counted, figure, spread_of

Fields = Mapping[str, Any]

SEEDS = ("train.seed", "params.seed")
FOLDS = ("validate.fold", "params.fold")
_SAME = (*SEEDS, *FOLDS, "validate.seed", "train.statistics", "train.log_every")
_SAME_TABLES = ("resources.", "checkpoints.")
"""Options and tables in which members of one group may differ: they are no hyperparameters."""


@dataclass(frozen=True)
class Column:
    """One figure of a table of groups."""

    key: str
    """Of the query language."""
    goal: str | None
    """ "min" or "max"; None when which is better is not known."""


@dataclass
class Group:
    """Runs that are alike in all keys of a table."""

    values: dict[str, Any]
    """Key to what the members share."""
    rows: list[Fields]
    """The members, by repeat and fold, or oldest first."""
    spreads: dict[str, Spread] = field(default_factory=dict)
    """Column's key to its statistics."""
    differences: dict[str, Difference] = field(default_factory=dict)
    """Column's key to the difference to the baseline; empty without one, and for the baseline itself."""
    baseline: bool = False

    @property
    def title(self) -> str:
        """The cell's title; empty where the members have none, or several."""
        titles = {str(row.get("title") or "") for row in self.rows}
        return titles.pop() if len(titles) == 1 else ""

    @property
    def states(self) -> dict[str, int]:
        """How many members are in each state."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[row["state"]] = found.get(row["state"], 0) + 1
        return found

    @property
    def label(self) -> str:
        """The title, or else what the group's keys are."""
        names = short_keys(list(self.values))
        return self.title or ", ".join(f"{n}={v}" for n, v in zip(names, self.values.values(), strict=True))

    def record(self) -> dict[str, Any]:
        """The group as `ls --group --format json` shows it; the names are public."""
        return {
            "title": self.title,
            "group": self.values,
            "n": len(self.rows),
            "states": self.states,
            "runs": [row["id"] for row in self.rows],
            "baseline": self.baseline,
            "metrics": {key: found._asdict() for key, found in self.spreads.items()},
            "differences": {key: found._asdict() for key, found in self.differences.items()},
        }


@dataclass
class Aggregate:
    """A table of groups."""

    keys: list[str]
    """By which the rows are grouped."""
    columns: list[Column]
    groups: list[Group]
    """In the order of the sweep's cells, or as their first members were made; until sorted."""
    trouble: str = ""
    """Why nothing is compared with the baseline that is pinned."""

    @property
    def baseline(self) -> Group | None:
        """The group that the others are compared with."""
        return next((group for group in self.groups if group.baseline), None)

    def sort(self, key: str, stat: str = "mean") -> None:
        """Sort the groups by a column's statistic, a key, `title` or `n`; `-key`: the largest first.

        Raises:
            FilterError: the table has no such column.
        """
        descending, key = key.startswith("-"), key.removeprefix("-")
        names = [column.key for column in self.columns]
        if key not in (*names, *self.keys, "title", "n"):
            known = ", ".join(dict.fromkeys([*names, *self.keys, "title", "n"]))
            raise FilterError(f"sort: the table of groups has no column {key!r}; it has {known}")

        def value(group: Group) -> Any:
            if key in group.spreads:
                return getattr(group.spreads[key], stat)
            return {"title": group.label, "n": len(group.rows), **group.values}[key]

        found = [(value(group), group) for group in self.groups]
        present = [(_rank(v), group) for v, group in found if v is not None and v == v]
        present.sort(key=lambda pair: pair[0], reverse=descending)
        absent = [group for v, group in found if v is None or v != v]
        self.groups = [*(group for _, group in present), *absent]


def _rank(value: Any) -> tuple[bool, Any]:
    """Numbers before words."""
    number = isinstance(value, int | float)
    return not number, value if number else str(value)


def aggregate(
    rows: Iterable[Fields], keys: Sequence[str] = (), metrics: Sequence[str] = (),
    baseline: Collection[str] = (), unfinished: bool = False,
) -> Aggregate:  # fmt: skip
    """Group runs, and say what their figures have in common.

    Args:
        rows: of the index, in any order.
        keys: of the query language; none: `hyperparameters(rows)`.
        metrics: figures, as keys of the query language; none: `figures(rows)`.
        baseline: ids of runs; the group that holds one of them is what the others are compared with.
        unfinished: count the figures of runs, too, that have not finished.

    Raises:
        FilterError: no run has such a key, or no run of `baseline` is among the rows.
    """
    rows = sorted(rows, key=_made)
    for key in (*keys, *metrics):
        require(rows, key)
    for key in metrics:
        if any(isinstance(look_up(row, key), str | list | bool) for row in rows):
            raise FilterError(
                f"{key!r} is no figure, of which there could be a mean; it can be a key to group by"
            )
    chosen = list(dict.fromkeys(keys)) or hyperparameters(rows)
    columns = [Column(key, goal_of(rows, key)) for key in dict.fromkeys(metrics or figures(rows))]
    members: dict[tuple[Any, ...], list[Fields]] = {}
    for row in rows:
        members.setdefault(tuple([_identity(look_up(row, key)) for key in chosen]), []).append(row)
    groups = [Group({key: look_up(own[0], key) for key in chosen}, own) for own in members.values()]
    for group in groups:
        group.spreads = {c.key: spread_of(group.rows, c.key, unfinished) for c in columns}
    if baseline:
        _compare(groups, columns, baseline, unfinished)
    return Aggregate(chosen, columns, groups)


def _made(row: Fields) -> tuple[Any, ...]:
    """The order of a sweep's plan, also where a run was made again later; sweeps among runs by time."""
    number = [-1 if row.get(name) is None else row[name] for name in ("cell", "repeat", "fold")]
    return (row["sweep"] or row["id"], *number, row["id"])


def _identity(value: Any) -> Any:
    """What equal values share: 1 and 1.0 are one, true is not, NaN is; lists can be looked up."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        return value
    return type(value), repr(value)


def hyperparameters(rows: Sequence[Fields]) -> list[str]:
    """Recipe keys in which runs differ, but for those that tell repeats and folds apart, and those that
    change no result: `train.seed`, `params.seed`, `validate.fold`, `params.fold`, `validate.seed`,
    `train.statistics`, `train.log_every`, `resources.…`, `checkpoints.…`; and those that only some kinds of a part have (`optimizer.betas`), all with
    one value, where the kinds differ. In the order of the recipe."""
    options = [row["params"] for row in rows]
    keys: dict[str, None] = {}
    for own in options:
        keys.update(dict.fromkeys(own))
    chosen = [key for key in keys if key not in _SAME and not key.startswith(_SAME_TABLES)]
    differing = [key for key in chosen if _differ([own.get(key) for own in options])]
    kinds = {key.removesuffix(".name") for key in differing if key.endswith(".name")}
    return [key for key in differing if not (_table(key) in kinds and _goes_with_its_kind(key, options))]


def _table(key: str) -> str:
    return key.partition(".")[0]


def _goes_with_its_kind(key: str, options: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a part's kind (its `name`) says already what this option is: absent, or one value."""
    name = f"{_table(key)}.name"
    found: dict[Any, Any] = {}
    if key == name or all(key in own for own in options):
        return False
    return all(
        _identity(own.get(key)) == found.setdefault(_identity(own.get(name)), _identity(own.get(key)))
        for own in options
    )


def _differ(values: list[Any]) -> bool:
    """Whether values are not all one; quick where they are."""
    first, kind, one = values[0], type(values[0]), _identity(values[0])
    return any((v != first or type(v) is not kind) and _identity(v) != one for v in values)


def monitored(row: Fields) -> str:
    """The metric that says which epoch of a run is best, if it was logged; else empty."""
    monitor = row["params"].get("validate.monitor", "")
    return monitor if isinstance(monitor, str) and monitor in row["metrics"] else ""


def figures(rows: Iterable[Fields]) -> list[str]:
    """What is shown where nobody says what: the monitored metrics, and the same ones on test data."""
    rows = list(rows)
    metrics = [metric for metric in dict.fromkeys(map(monitored, rows)) if metric]
    tests = dict.fromkeys(f"test.{metric.partition('.')[2]}" for metric in metrics)
    return list(dict.fromkeys(metrics + [t for t in tests if any(t in row["metrics"] for row in rows)]))


def protocols(rows: Iterable[Fields]) -> list[str]:
    """The same figures by both protocols: at the best epoch ("early stopping"), and at the last."""
    return [key for metric in figures(rows) for key in (metric, f"{metric}.last")]


def _compare(groups: list[Group], columns: list[Column], baseline: Collection[str], unfinished: bool) -> None:
    """Fill in the differences to the group that holds a run of the baseline."""
    ids = set(baseline)
    base = next((group for group in groups if any(row["id"] in ids for row in group.rows)), None)
    if base is None:
        raise FilterError(
            f"no run of the baseline ({sorted(ids)[0]}) is among the chosen ones; choose more runs with "
            "--filter, or another baseline"
        )
    base.baseline = True
    others = [group for group in groups if group is not base]
    places = {id(row): _place(row) for group in groups for row in group.rows if counted(row, unfinished)}
    for column in columns:
        theirs = observations(base.rows, column.key, places)
        mine = [observations(group.rows, column.key, places) for group in others]
        found = differences(mine, theirs, column.goal)
        for group, difference in zip(others, found, strict=True):
            group.differences[column.key] = difference


Place = tuple[int | None, Any, tuple[Any, ...], float | None]
"""Repeat, seed, split, overlap: what an Observation is beside its value."""


def observations(rows: Iterable[Fields], key: str, places: Mapping[int, Place]) -> list[Observation]:
    """The finite figures of the runs that have a place."""
    known = [(figure(row, key), places[id(row)]) for row in rows if id(row) in places]
    return [Observation(value, *place) for value, place in known if value is not None]


def observed(rows: Iterable[Fields], key: str) -> list[Observation]:
    """The finite figures of finished runs, with what pairs each with others."""
    rows = list(rows)
    return observations(rows, key, {id(row): _place(row) for row in rows if counted(row)})


def _place(row: Fields) -> Place:
    """What pairs a run with others."""
    params = row["params"]
    seed = next((_identity(params[name]) for name in SEEDS if name in params), None)
    return row.get("repeat"), seed, *_split(row)


def _split(row: Fields) -> tuple[tuple[Any, ...], float | None]:
    """What names a run's split, and what it holds out to score by, over what it trains on."""
    params = row["params"]
    fold = next((f for f in (row.get("fold"), *map(params.get, FOLDS)) if f is not None), None)
    scheme, seed, folds = (params.get(f"validate.{name}") for name in ("scheme", "seed", "folds"))
    if scheme in ("kfold", "group") and isinstance(folds, int):
        trained = folds - 1 - bool(params.get("validate.test_fold"))
        return (scheme, folds, _identity(seed), _identity(fold)), 1 / max(trained, 1)
    if scheme == "holdout":
        shares = [params.get(f"validate.{name}") for name in ("val", "test")]
        val, test = (share if isinstance(share, int | float) else 0.0 for share in shares)
        return (scheme, val, test, _identity(seed), _identity(fold)), max(val, test) / max(
            1 - val - test, 1e-3
        )
    return (_identity(scheme), _identity(fold)), None


__all__ = [
    "STATS", "Aggregate", "Column", "Group", "aggregate", "figures", "goal_of", "hyperparameters", "monitored",
    "protocols",
]  # fmt: skip
