"""What came of a run: scores, its fold among the others, the confusion matrix, each class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from textual.binding import BindingType

from labtui.cells import clean, pad, width, wrap
from labtui.confusion import BROKEN, NO_CLASSES, Confusion, confusions
from labtui.query.aggregate import Group
from labtui.rows import Row
from labtui.table import cell
from labtui.tui.commands import Command, bindings
from labtui.tui.heat import Shade, matrix_rows, mistake_rows
from labtui.tui.outcome import best_row, score_rows, sibling_rows, siblings
from labtui.tui.tabs.text import SectionsTab
from labtui.tui.want import Eyes, Want, file_stamp
from labtui.tui.widgets.sections import Section

SPLITS = {"test": "test split", "val": "validation split", "": "as the program kept it"}
MOST_CLASSES = 200
"""Classes that are listed one by one."""


@dataclass(frozen=True)
class Results:
    """What is known of a run's results."""

    row: dict[str, Any]
    result: dict[str, Any] = field(default_factory=dict)
    group: Group | None = None
    """The runs that differ by fold, repeat or seed only."""
    confusions: tuple[Confusion, ...] = ()
    problem: str = ""
    """What is wrong with the artifact."""


@dataclass(frozen=True)
class WantResults(Want):
    """The results of a run: found is a `Results`."""

    run: str

    def stamp(self, eyes: Eyes) -> object:
        """The artifact's and the result's files, and whether a row changed: its own, or one of its sweep."""
        paths = eyes.lab.paths.run(self.run)
        files = [
            paths.artifacts / "confusion.json",
            paths.artifacts / "confusion.npz",
            paths.result,
            paths.verdict,
        ]
        return eyes.changes, [file_stamp(file) for file in files]

    def look(self, eyes: Eyes, before: Results | None) -> Results | None:
        """Read them."""
        run = eyes.run(self.run)
        if run is None:
            return None
        group = siblings(eyes.rows(run.row["sweep"]), run.row)
        found, problem = read_confusions(run)
        return Results(dict(run.row), dict(run.status().result), group, tuple(found), problem)


def read_confusions(run: Any) -> tuple[list[Confusion], str]:
    """A run's confusion matrices, and what is wrong with the artifact."""
    file = next((f for f in ("confusion.json", "confusion.npz") if (run.paths.artifacts / f).exists()), "")
    if not file:
        return [], ""
    found = run.artifact("confusion")
    if found is None:
        return [], f"artifacts/{file} cannot be read"
    try:
        parts = confusions(found)
        for part in parts:
            _ = part.mistakes  # of a thousand classes they take a second, which no key is to wait for
        return parts, ""
    except BROKEN as error:
        said = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        return [], f"artifacts/{file} has not the form of a confusion matrix: {said}"


class ResultsTab(SectionsTab):
    """Scores first, then where they come from."""

    TITLE = "results"
    KEYS: ClassVar[tuple[Command, ...]] = (
        Command(
            "c", "shares", "counts/shares", "The confusion matrix as counts, or in percents of each row.", 2
        ),
        Command("v", "split", "test/validation", "The confusion matrix of the other split.", 2),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.results: Results | None = None
        self.shares = False
        self.split = 0

    def wants(self) -> tuple[Want, ...]:
        """All of it."""
        return (WantResults(self.slot("all"), self.run),)

    def found(self, name: str, value: Any) -> None:
        """Show it."""
        self.results = value
        self.show()

    def clear(self) -> None:
        """Another run."""
        self.results, self.split = None, 0
        super().clear()

    def show(self) -> None:
        """Lay it out for the room there is."""
        if self.results is None:
            return
        variables, app = self.app.theme_variables, self.app
        shade = Shade.of(variables["background"], variables["foreground"], not app.no_color)
        room = max(self.text.size.width - 3, 20)
        self.text.fill(sections(self.results, room, self.shares, self.split, shade))

    def action_shares(self) -> None:
        """Counts, or percents of each row."""
        self.shares = not self.shares
        self.show()

    def action_split(self) -> None:
        """The other split."""
        if self.results is None or len(self.results.confusions) < 2:
            self.run_screen.lab_app.say("there is no other split with a confusion matrix")
            return
        self.split += 1
        self.show()


def sections(found: Results, room: int, shares: bool, split: int, shade: Shade) -> list[Section]:
    """All parts, for so many cells of width."""
    best, table = best_row(found.row, found.result), score_rows(found.row, found.result)
    parts = [Section("scores", [*([best] if best else []), *table])]
    if not table:
        parts = [Section("scores", [[("nothing was logged yet", "dim")]])]
    if found.group:
        parts.append(Section("folds and repeats", sibling_rows(found.group, found.row["id"])))
    if found.problem:
        rows: list[Row] = [[(line, "bad")] for line in wrap(clean(found.problem), room)]
        return [*parts, Section("confusion matrix", rows)]
    if not found.confusions:
        return [*parts, Section("confusion matrix", [[(_absence(found.row), "dim")]])]
    part = found.confusions[split % len(found.confusions)]
    head = f"confusion matrix, {SPLITS[part.split]}"
    if part.matrix is not None:
        what = "in percents of a row" if shares else "counts"
        note: Row = [(f"rows truth, columns prediction, {what}{_where(part)}", "dim")]
        rows = matrix_rows(part, room, shares, shade)
        if not rows:
            note = [(f"{len(part.names)} classes: no room for all{_where(part)}", "dim")]
        parts.append(Section(head, [note, *rows]))
        parts.append(Section("commonest mistakes", mistake_rows(part, room)))
    parts.append(Section(f"classes, {SPLITS[part.split]}", class_rows(part, room)))
    return parts


def _where(part: Confusion) -> str:
    if part.epoch is not None:
        return f"; weights of epoch {cell(part.epoch)}"
    return f"; weights of step {part.step}" if part.step is not None else ""


def _absence(row: dict[str, Any]) -> str:
    """Why there is no matrix."""
    if instead := NO_CLASSES.get(str(row["params"].get("loss.name"))):
        return f"none: the model {instead}, and predicts no class"
    if row["state"] in ("running", "queued"):
        return "none yet: it is written when training has ended"
    return 'none was kept; a program of your own keeps one with run.artifact("confusion", matrix)'


def class_rows(part: Confusion, room: int) -> list[Row]:
    """Precision, recall, F1 and samples of each class."""
    known = part.per_class
    if not known:
        return []
    columns: list[str] = [
        name for name in ("precision", "recall", "f1", "mse", "mae", "samples") if name in known[0]
    ]
    columns += [name for name in known[0] if name not in (*columns, "class")]
    names = [clean(str(one.get("class", ""))) for one in known]
    label = min(max([5, *map(width, names)]), max(room - 11 * len(columns), 8))
    heads = {"f1": "F1", "samples": "support"}
    rows: list[Row] = [
        [(" " * label, ""), ("".join(pad(heads.get(c, clean(c)), 11, "right") for c in columns), "head")]
    ]
    worst = min((one["f1"] for one in known if isinstance(one.get("f1"), int | float)), default=None)
    for name, one in list(zip(names, known, strict=True))[:MOST_CLASSES]:
        style = "warn" if worst is not None and one.get("f1") == worst and len(known) > 2 else ""
        figures = [one.get(column) for column in columns]
        texts = [f"{v:.3f}" if isinstance(v, float) and abs(v) < 100 else cell(v) for v in figures]
        rows.append([(pad(name, label), ""), ("".join(pad(text, 11, "right") for text in texts), style)])
    if len(known) > MOST_CLASSES:
        rows.append([(f"and {len(known) - MOST_CLASSES} more", "dim")])
    if any(None in one.values() for one in known):
        rows.append([("–: the class was never there, or never predicted", "dim")])
    return rows
