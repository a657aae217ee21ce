"""Reading a log while it grows finds what reading all of it finds."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from labtui import series
from labtui.files.metriclog import VOID
from labtui.files.paths import RunPaths
from labtui.growing import Growing
from labtui.series import DTYPE

NAMES = ["train.loss", "val.loss", "sys.cpu"]

records = st.tuples(st.integers(VOID, 3), st.integers(0, 20), st.floats())
pieces = st.lists(st.tuples(st.lists(records, max_size=6), st.integers(0, 31), st.booleans()), max_size=8)


def same(a: dict[str, series.Series], b: dict[str, series.Series]) -> bool:
    if set(a) != set(b):
        return False
    pairs = [(x, y) for name in a for x, y in zip(a[name], b[name], strict=True)]
    return all(np.array_equal(x, y, equal_nan=True) for x, y in pairs)


@settings(max_examples=150, deadline=None)
@given(pieces)
def test_growing_is_reading_all(tmp_path_factory, parts):
    paths = RunPaths(tmp_path_factory.mktemp("run"))
    growing = Growing(paths)
    assert growing.look() == {}
    paths.keys.write_text("")
    for number, (rows, torn, named) in enumerate(parts):
        with open(paths.metrics, "ab") as file:
            os.truncate(paths.metrics, file.tell() // 32 * 32)  # as the next attempt does
        with open(paths.metrics, "ab") as file:
            found = np.array([(key, step, number, value) for key, step, value in rows], DTYPE)
            file.write(found.tobytes() + b"\x01" * torn)
        if named:
            paths.keys.write_text("".join(name + "\n" for name in NAMES) + "torn")
        before = growing.look()
        copies = {name: series.Series(*(part.copy() for part in one)) for name, one in before.items()}
        assert same(before, series.read_all(paths))
        growing.look()
        assert same(before, copies)


def test_another_file_is_read_from_its_start(tmp_path):
    paths = RunPaths(tmp_path)
    paths.keys.write_text("a\n")
    growing = Growing(paths)
    np.array([(0, 1, 1, 5.0), (0, 2, 2, 6.0)], DTYPE).tofile(paths.metrics)
    assert growing.look()["a"].values.tolist() == [5.0, 6.0]
    np.array([(0, 1, 1, 7.0)], DTYPE).tofile(tmp_path / "new")
    os.replace(tmp_path / "new", paths.metrics)
    assert growing.look()["a"].values.tolist() == [7.0]
    os.truncate(paths.metrics, 0)
    assert growing.look() == {}
