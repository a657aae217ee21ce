"""The confusion matrix, and each class for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labtui.report.document import Document, mapping, of_form
from labtui.report.text import heading, table

MOST_CLASSES = 20
"""Classes of a matrix that is shown whole; of a larger one the commonest mistakes."""
MISTAKES = 10
WITHOUT = {
    "reconstruction": "restores what it sees",
    "masked_mse": "restores what was hidden",
    "batch_hard_triplet": "places samples in an embedding",
}
"""Losses whose models predict no class, and what they do instead."""


def section(doc: Document) -> Iterator[str]:
    """Of the test split if there is one, else of the validation split."""
    yield heading(3, "Confusion matrix and classes")
    if instead := WITHOUT.get(str(doc.options.get("loss.name"))):
        yield f"*None: the model {instead}, and predicts no class.*"
        return
    found = doc.artifact("confusion")
    with of_form("confusion"):
        blocks = list(_blocks(doc, found))
    yield from blocks
    if (doc.run.paths.artifacts / "agreement.json").exists():  # only a student has it
        taught = doc.artifact("agreement")
        with of_form("agreement"):
            blocks = list(_agreement(doc, taught))
        yield from blocks


def _blocks(doc: Document, found: Any) -> Iterator[str]:
    if (isinstance(found, dict) and "matrix" in found) or not isinstance(found, dict):
        # A script's own: the matrix alone, or with the names of its classes.
        part = found if isinstance(found, dict) else {"matrix": found}
        names = part.get("classes") or [str(i) for i in range(len(part["matrix"]))]
        where = "as the program kept it"
    else:
        split = "test" if "test" in found else "val"
        part, names = mapping(found[split]), found.get("classes", [])
        words = "test split" if split == "test" else "validation split"
        where = f"{words}, weights of {doc.place(int(found['step']))}"
    names = [str(name) for name in names]
    if "matrix" in part:
        matrix = [[int(count) for count in row] for row in part["matrix"]]
        yield f"Truth in rows, prediction in columns ({where})."
        yield from _matrix(doc, names, matrix)
    if rows := part.get("per_class"):
        columns = list(rows[0])
        yield table(columns, [[row[column] for column in columns] for row in rows])
        if any(None in row.values() for row in rows):
            yield "*A dash: the class was never there, or never said.*"


def _agreement(doc: Document, found: Any) -> Iterator[str]:
    """Where a student says what its teacher says."""
    split = "test" if "test" in found else "val"
    part, names = found[split], [str(name) for name in found["classes"]]
    share = f"{100 * float(part['agreement']):.1f} %"
    yield f"Teacher in rows, student in columns ({split} split): they agree on {share} of the samples."
    yield from _matrix(doc, names, [[int(count) for count in row] for row in part["matrix"]], "teacher")


def _matrix(
    doc: Document, names: list[str], matrix: list[list[int]], rows_are: str = "truth"
) -> Iterator[str]:
    if any(len(row) != len(matrix) for row in matrix) or len(names) != len(matrix):
        raise ValueError("not square")
    if len(names) <= MOST_CLASSES:
        rows = [[name, *counts] for name, counts in zip(names, matrix, strict=True)]
        yield table([rows_are, *names], rows)
        return
    mistakes = [
        (count, names[truth], names[said])
        for truth, row in enumerate(matrix)
        for said, count in enumerate(row)
        if count and truth != said
    ]
    mistakes.sort(key=lambda mistake: -mistake[0])
    link = doc.attach_csv(
        "confusion.csv" if rows_are == "truth" else "agreement.csv",
        [rows_are, *names],
        ([name, *counts] for name, counts in zip(names, matrix, strict=True)),
    )
    yield f"The commonest mistakes among {len(names)} classes; [the whole matrix]({link})."
    rows = [[truth, said, count] for count, truth, said in mistakes[:MISTAKES]]
    yield table([rows_are, "prediction", "samples"], rows)
