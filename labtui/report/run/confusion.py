"""The confusion matrix, and each class for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from labtui.confusion import NO_CLASSES, Confusion, confusions
from labtui.report.blocks import Block, Heading, Picture, Table
from labtui.report.matrix import Heat
from labtui.report.run.document import Document, of_form
from labtui.report.text import prose

FILES = ("confusion.csv", "confusion.png", "agreement.csv", "agreement.png")
MOST_CLASSES = 20
"""Classes of a matrix that is shown whole; of a larger one the commonest mistakes."""
MISTAKES = 10
MOST_DRAWN = 200
"""Classes of a matrix that is drawn."""


def section(doc: Document) -> Iterator[Block]:
    """Of the test split if there is one, else of the validation split."""
    yield Heading(3, "Confusion matrix and classes")
    if instead := NO_CLASSES.get(str(doc.options.get("loss.name"))):
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


def _blocks(doc: Document, found: Any) -> Iterator[Block]:
    part = confusions(found)[0]
    where = "as the program kept it"
    if part.step is not None:
        words = "test split" if part.split == "test" else "validation split"
        where = f"{words}, weights of {doc.place(part.step)}"
    if part.matrix is not None:
        yield f"Truth in rows, prediction in columns ({where})."
        yield from _matrix(doc, part)
    else:
        yield f"A sample has several labels, so that there is no matrix; each label for itself ({where})."
    if rows := part.classes:
        columns = list(rows[0])
        yield Table(columns, [[row[column] for column in columns] for row in rows])
        if never := [row for row in rows if row.get("precision") is None and row.get("samples")]:
            listed = [f"{prose(str(row['class']))} ({_samples(row['samples'])})" for row in never]
            yield f"**Never predicted:** {', '.join(listed)}."
        if any(None in row.values() for row in rows):
            yield "*A dash: the class was never there, or never said.*"


def _samples(count: int) -> str:
    return f"{count} sample" if count == 1 else f"{count} samples"


def _agreement(doc: Document, found: Any) -> Iterator[Block]:
    """Where a student says what its teacher says."""
    split = "test" if "test" in found else "val"
    part = found[split]
    share = f"{100 * float(part['agreement']):.1f} %"
    yield f"Teacher in rows, student in columns ({split} split): they agree on {share} of the samples."
    both = confusions({"matrix": part["matrix"], "classes": found["classes"]})[0]
    yield from _matrix(doc, both, "teacher")


def _matrix(doc: Document, found: Confusion, rows_are: str = "truth") -> Iterator[Block]:
    names, matrix = found.names, found.matrix or ()
    if 1 < len(names) <= MOST_DRAWN:
        yield _picture(found, rows_are)
    if len(names) <= MOST_CLASSES:
        rows = [[name, *counts] for name, counts in zip(names, matrix, strict=True)]
        yield Table([rows_are, *names], rows)
        return
    link = doc.beside.attach_csv(
        "confusion.csv" if rows_are == "truth" else "agreement.csv",
        [rows_are, *names],
        ([name, *counts] for name, counts in zip(names, matrix, strict=True)),
    )
    yield f"The commonest mistakes among {len(names)} classes; [the whole matrix]({link})."
    rows = [[names[truth], names[said], count] for count, truth, said in found.mistakes[:MISTAKES]]
    yield Table([rows_are, "prediction", "samples"], rows)


def _picture(found: Confusion, rows_are: str) -> Picture:
    """Each row coloured by its shares; its words say how much lies on the diagonal."""
    counts = np.asarray(found.matrix, np.float64)
    if counts.min() < 0 or not np.isfinite(counts).all():
        raise ValueError("counts")
    heat = Heat(found.names, counts, rows_are, "student" if rows_are == "teacher" else "prediction")
    right = f"{counts.trace():.0f} of {counts.sum():.0f} samples on the diagonal"
    worst = ""
    if found.mistakes:
        count, truth, said = found.mistakes[0]
        worst = f"; most often {prose(found.names[truth])} is taken for {prose(found.names[said])} ({count})"

    def replaced() -> str:
        words = "; ".join(f"{short} is {prose(name)}" for name, short in heat.fonts.replaced.items())
        return f"*In the picture {words}: no font here has its letters.*" if words else ""

    file = "confusion.png" if rows_are == "truth" else "agreement.png"
    return Picture(
        file,
        f"{'Agreement' if rows_are == 'teacher' else 'Confusion matrix'}: {right}{worst}",
        heat.picture,
        remark=replaced,
    )
