"""The feed: what is told when, from real run directories."""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tui_lab import NOW, add_run, small_lab, write_metrics

from labtui.files.paths import LabPaths
from labtui.query import Lab
from labtui.series import DTYPE
from labtui.tui.detail import WantDetail
from labtui.tui.feed import Feed, News, Wish
from labtui.tui.listing import Shown
from labtui.tui.pictures import Picture, View
from labtui.tui.snapshot import Snapshot
from labtui.tui.tabs.log import WantLog
from labtui.tui.want import Want


def watched(lab: LabPaths) -> tuple[Feed, list[News]]:
    news: list[News] = []
    return Feed(Lab(lab), news.append), news


def last(news: list[News], what: str) -> Any:
    """The newest thing of a kind that was told."""
    return next(getattr(n, what) for n in reversed(news) if getattr(n, what) is not None)


def found(news: list[News], slot: str) -> Any:
    """The newest thing that was found for a slot."""
    return next(n.found[slot] for n in reversed(news) if slot in n.found)


def row(number: int, **changes: object) -> dict[str, object]:
    metrics = {"val.acc": {"at_best": number / 100, "last": 0.5, "goal": "max"}, "epoch": {"last": 3.0}}
    return {
        "id": f"20260101-0000{number:02d}-x-aaaa", "name": f"run {number}", "state": "finished",
        "reason": "", "recipe": "r.toml", "created": float(number), "started": None, "ended": None,
        "tags": ["a", "b"], "params": {"validate.monitor": "val.acc", "train.epochs": 9},
        "metrics": metrics,
    } | changes  # fmt: skip


def test_a_snapshot_changes_only_with_what_is_shown():
    first = Snapshot.of_rows([row(1), row(2)])
    assert {len(column) for column in first.columns.values()} == {2}
    assert first.of(str(row(1)["id"]), "tags") == "a b" and first.of("?", "name") is None
    assert first.updated([row(1, duration=7.0)], ["value"]) is first
    assert first.updated([row(1, duration=7.0)], ["duration"]) is not first
    second = first.updated([row(2, state="failed"), row(3)], ["value"])
    assert second.counts() == {"finished": 2, "failed": 1} and first.counts() == {"finished": 2}
    assert second.of(str(row(3)["id"]), "value") == 0.03


def test_a_snapshot_gains_and_loses_columns():
    first = Snapshot.of_rows([row(1), row(2)]).with_columns(["tags"])
    second = first.with_columns(["val.acc.last", "train.epochs"])
    assert second.columns["val.acc.last"] == [0.5, 0.5] and second.columns["train.epochs"] == [9, 9]
    assert "tags" not in second.columns
    assert second.with_columns(["val.acc.last", "train.epochs"]) is second
    third = second.updated([row(3)], []).with_goals(["val.acc.last", "train.epochs"])
    assert third.columns["train.epochs"] == [9, 9, 9]
    assert third.judged == "val.acc" and third.goals == {"val.acc.last": "max", "value": "max"}


@given(st.lists(st.none() | st.floats() | st.booleans() | st.text(max_size=2), max_size=12), st.booleans())
def test_nothing_and_nan_sort_last_either_way(values, reverse):
    keys = [f"k{number:02d}" for number in range(len(values))]
    place = {key: number for number, key in enumerate(keys)}
    snapshot = replace(Snapshot(), columns={"value": list(values)}, place=place)
    found = [values[int(key[1:])] for key in snapshot.ordered(keys, "value", reverse)]
    known = [v for v in values if v is not None and v == v and v != ""]
    numbers = sorted((v for v in known if not isinstance(v, str)), reverse=reverse)
    words = sorted((v for v in known if isinstance(v, str)), reverse=reverse)
    assert found[: len(known)] == (words + numbers if reverse else numbers + words)
    assert len(found) == len(values)


def test_the_first_look_tells_everything_and_the_second_nothing(tmp_path):
    feed, news = watched(small_lab(tmp_path))
    feed.once()
    assert news[0].snapshot and len(news[0].snapshot.keys) == 10
    assert news[1].recipes and [r["path"] for r in news[1].recipes] == [
        "broken.toml", "digits.toml", "fault/wrong.toml",
    ]  # fmt: skip
    news.clear()
    feed.once()
    assert news == []


def test_new_changed_and_gone_runs_are_told(tmp_path):
    lab = small_lab(tmp_path)
    feed, news = watched(lab)
    feed.once()
    key = add_run(lab, "late", 30, seed=11)
    feed.once()
    assert last(news, "snapshot") and last(news, "snapshot").keys[0] == key
    shutil.rmtree(lab.runs / key)
    feed.once()
    assert key not in last(news, "snapshot").place
    assert len(last(news, "snapshot").keys) == len(last(news, "snapshot").columns["name"]) == 10


def test_filters_are_words_or_expressions_and_wrong_ones_change_nothing(tmp_path):
    feed, news = watched(small_lab(tmp_path))
    feed.once()

    def shown(text: str) -> tuple[int, str]:
        feed.ask(shown=Shown(filter=text))
        feed.once()
        return len(last(news, "snapshot").keys), last(news, "snapshot").problem

    assert shown("transformer") == (5, "")
    assert shown("轴承") == (1, "")
    assert shown('a "quoted \\ word')[0] == 0
    assert shown("state=failed and train.epochs=20") == (2, "")
    count, problem = shown("state=")
    assert count == 2 and "expected a value" in problem
    assert "no run has a key" in shown("nonsense.key>1")[1]
    assert shown("")[0] == 10


def test_sorting_asks_the_columns(tmp_path):
    feed, news = watched(small_lab(tmp_path))
    for by in ("value", "name", "state", "progress", "train.loss.last", "created"):
        feed.ask(shown=Shown(sort=by, reverse=False))
        feed.once()
        snapshot = last(news, "snapshot")
        values = [snapshot.of(key, by) for key in snapshot.keys]
        assert len(values) == 10
        known = [v for v in values if v is not None]
        assert known == sorted(known) and values[: len(known)] == known


def picture(*runs: str, **more: object) -> Picture:
    return replace(Picture("x.loss", runs, 60, 10), **more)


def test_pictures_are_drawn_again_only_when_their_data_grew(tmp_path):
    lab = LabPaths(tmp_path)
    key = add_run(lab, "grows", 60, "running", done=5)
    feed, news = watched(lab)
    feed.ask(wants=(picture(key),))
    feed.once()
    rows = found(news, "x.loss").rows
    assert len(rows) == 10 and {sum(len(t) for t, _ in row) for row in rows} == {60}
    assert "val.loss" in "".join(t for t, _ in rows[0])
    count = len(news)
    feed.once()
    assert not any(n.found for n in news[count:])
    more = np.zeros(1, DTYPE)
    more["key"], more["step"], more["value"] = 1, 120, 0.5
    with open(lab.run(key).metrics, "ab") as file:
        file.write(more.tobytes())
    feed.once()
    assert len([n for n in news if n.found]) == 2


def test_several_runs_are_compared_by_one_split(tmp_path):
    lab = small_lab(tmp_path)
    keys = sorted(os.listdir(lab.runs))[-5:-3]
    feed, news = watched(lab)
    feed.ask(wants=(picture(*keys, places=2, width=120),))
    feed.once()
    head = "".join(t for t, _ in found(news, "x.loss").rows[0])
    assert head.startswith("train.loss val.loss") or head.startswith("val.loss")
    assert head[61:].startswith("val.acc")


def test_a_run_without_metrics_says_so(tmp_path):
    lab = LabPaths(tmp_path)
    key = add_run(lab, "empty", 60, "queued", metrics={})
    feed, news = watched(lab)
    feed.ask(wants=(picture(key),))
    feed.once()
    assert "nothing was logged yet" in str(found(news, "x.loss"))


def test_details_are_told_once_and_again_when_they_change(tmp_path):
    lab = small_lab(tmp_path)
    key = max(k for k in os.listdir(lab.runs) if "transformer-cls-small" in k)
    feed, news = watched(lab)
    feed.once()
    feed.ask(wants=(WantDetail("x.detail", key), WantLog("x.log", key)))
    feed.once()
    detail = found(news, "x.detail")
    assert detail.id == key and found(news, "x.log")[0] == os.stat(lab.run(key).log).st_size
    count = len(news)
    feed.once()
    assert len(news) == count
    (lab.run(key).notes).write_text('[[notes]]\ntime = 0.0\ntext = "seen"\n')
    feed.once()
    assert found(news, "x.detail").notes["notes"][0]["text"] == "seen"


def test_trouble_is_told_and_taken_back(tmp_path, monkeypatch):
    feed, news = watched(small_lab(tmp_path))
    monkeypatch.setattr("labtui.tui.feed.IDLE", 0.01)
    monkeypatch.setattr("labtui.tui.feed.LIVE", 0.01)
    looks = iter(range(100))

    def once() -> None:
        number = next(looks)
        if number == 3:
            feed.stop()
        if number == 1:
            raise OSError(5, "the disk is gone")

    monkeypatch.setattr(feed, "once", once)
    feed.loop()
    assert [n.trouble for n in news] == ["[Errno 5] the disk is gone", ""]


def test_a_stopped_feed_ends_at_once(tmp_path):
    feed, _ = watched(small_lab(tmp_path))
    feed.stop()
    began = time.monotonic()
    feed.loop()
    assert time.monotonic() - began < 0.5


def test_zoomed_pictures_show_a_part(tmp_path):
    lab = LabPaths(tmp_path)
    steps = np.arange(1000.0)
    key = add_run(lab, "long", 60, metrics={"val.loss": np.column_stack([steps, steps])})
    feed, news = watched(lab)
    feed.ask(wants=(picture(key, view=View(window=(500.0, 750.0))),))
    feed.once()
    numbers = "".join(t for t, _ in found(news, "x.loss").rows[-2])
    assert "500" in numbers and "900" not in numbers


def test_a_broken_run_breaks_nothing(tmp_path):
    lab = small_lab(tmp_path)
    key = add_run(lab, "broken", 30, seed=12)
    root = lab.runs / key
    (root / "result.json").write_text(json.dumps({"attempt": 1, "outcome": 7, "facts": {"baseline": 3}}))
    (root / "notes.toml").write_bytes(b"\xff")
    (root / "metrics.keys").write_bytes(b"a\xff\nb")
    write_metrics(root, {"x": np.array([[1.0, 2.0]])}, NOW)
    feed, news = watched(lab)
    feed.ask(wants=(WantDetail("x.detail", key), picture(key)))
    feed.once()
    assert any("x.detail" in n.found for n in news)


@dataclass(frozen=True)
class Fixed(Want):
    """Finds what it is given."""

    value: object

    def stamp(self, eyes):
        return eyes.changes

    def look(self, eyes, before):
        return self.value


class Incomparable:
    """Cannot be compared, as arrays cannot."""

    def __eq__(self, other):
        raise ValueError("ambiguous")

    __hash__ = None


def test_what_cannot_be_compared_keeps_nothing_else_from_being_found(tmp_path):
    feed, news = watched(small_lab(tmp_path))
    for value in (Incomparable(), Incomparable()):
        feed.wish = Wish(wants=(Fixed("odd", [value]), Fixed("plain", len(news))))
        with suppress(ValueError):
            feed.once()
    assert found(news, "plain") == found(news[-1:], "plain") > 0
