"""The texts of a run's screen as rows: overview, parameters. Pure."""

from __future__ import annotations

from typing import Any

from labtui.cells import clean, pad
from labtui.logfile import shown
from labtui.rows import Row
from labtui.table import age, cell, duration, number
from labtui.tui.detail import Detail
from labtui.tui.tables import SIGNS

LAST_LINES = 12
"""Lines of the log that tell of an end which nothing else explains."""


def title_row(detail: Detail, now: float, badge: Row) -> Row:
    """State, what is wrong, name, id and age in one line."""
    row = detail.row
    sign, style = SIGNS.get(row["state"], ("·", "dim"))
    return [
        (f" {sign} {row['state']} ", style),
        *badge,
        (f" {clean(row['name'])}  ", "bold"),
        (f"{clean(detail.id)}  ", "dim"),
        (f"{age(max(now - row['created'], 0))} old", "dim"),
    ]


def overview_rows(detail: Detail, now: float) -> list[Row]:
    """What came of the run: state, times, metrics beside the best constant, the error."""
    row, facts = detail.row, detail.row["facts"]
    out: list[Row] = [_pair("state", " ".join(filter(None, (row["state"], row["reason"]))))]
    for line in detail.message.splitlines():
        out.append([(clean(line), "bad" if row["state"] in ("failed", "lost") else "")])
    if row["started"] is not None:
        end = row["ended"] or now
        out.append(_pair("time", duration(end - row["started"])))
    epoch, epochs = row["metrics"].get("epoch", {}).get("last"), row["params"].get("train.epochs")
    if epoch is not None:
        out.append(_pair("epoch", f"{epoch:.0f}" + (f" of {epochs}" if epochs else "")))
    best = detail.result.get("best")
    if isinstance(best, dict):
        out.append(_pair("best", f"{cell(best.get('metric'))} = {cell(best.get('value'))} "
                                 f"at step {cell(best.get('step'))}"))  # fmt: skip
    out += _metrics(row["metrics"], facts.get("baseline"))
    for key, value in facts.items():
        if not isinstance(value, dict | list):
            out.append(_pair(clean(str(key)), cell(value)))
    references = facts.get("references")
    for key, run_id in references.items() if isinstance(references, dict) else ():
        out.append(_pair(clean(f"{key} was"), cell(run_id)))
    if row["attempt"] > 1:
        out.append(_pair("attempt", str(row["attempt"])))
    if row["tags"]:
        out.append(_pair("tags", cell(row["tags"])))
    for key in ("recipe", "sweep"):
        if row[key]:
            out.append(_pair(key, clean(row[key])))
    trace = detail.result.get("traceback")
    if isinstance(trace, str) and trace.strip():
        out += [[], [("traceback", "head")], *([(clean(line), "")] for line in trace.splitlines())]
    elif detail.words.strip():
        out += [[], [("end of the log", "head")], *_last_words(detail.words)]
    return out


def _metrics(metrics: dict[str, Any], baseline: Any) -> list[Row]:
    """One line a metric: at the best step, last, and what the best constant answer scores."""
    shown = {name: m for name, m in metrics.items() if name != "epoch"}
    if not shown:
        return []
    constant = baseline if isinstance(baseline, dict) else {}
    wide = min(max(map(len, shown)), 18)
    heads = ["at best", "last", *(["baseline"] if constant else [])]
    out: list[Row] = [[(pad("", wide), ""), ("".join(f"{h:>10}" for h in heads), "head")]]
    for name, entry in shown.items():
        values = [entry.get("at_best"), entry.get("last")]
        if constant:
            values.append(constant.get(name))
        texts = "".join(f"{number(v) if isinstance(v, int | float) else '':>10}" for v in values)
        row: Row = [(pad(clean(name), wide), "dim"), (texts, "")]
        if _no_better(entry, constant.get(name)):
            row.append((" no better than a constant", "warn"))
        if entry.get("nonfinite"):
            row.append((f" {entry['nonfinite']} NaN", "bad"))
        out.append(row)
    return out


def _no_better(entry: dict[str, Any], constant: Any) -> bool:
    value, goal = entry.get("at_best"), entry.get("goal")
    if not isinstance(constant, int | float) or value is None or goal is None:
        return False
    return bool(value >= constant if goal == "min" else value <= constant)


def parameter_rows(detail: Detail) -> list[Row]:
    """Every option of the recipe."""
    params = detail.row["params"]
    wide = min(max(map(len, params), default=0), 26)
    return [[(pad(clean(k), wide) + "  ", "dim"), (cell(v), "")] for k, v in params.items()]


def _last_words(log: str) -> list[Row]:
    """The end of a log."""
    lines = log.rstrip("\n").split("\n")[-LAST_LINES:]
    return [[(shown(line.encode("utf-8", "replace")), "")] for line in lines]


def _pair(key: str, value: str) -> Row:
    return [(pad(key, 12), "dim"), (value, "")]
