"""What a report is of: a run, a sweep, all runs of a recipe, or the lab; shown as text, or written as a file.

Each kind is a folder here, with one section a file and the table of them, `SECTIONS`, in its `__init__`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtui.errors import LabError, RunNotFound
from labtui.files.paths import slug
from labtui.report.blocks import Block
from labtui.report.document import Beside, NotRecorded, Section

if TYPE_CHECKING:
    from labtui.query.lab import Lab, Run


@dataclass(frozen=True)
class Subject:
    """Something that there is to report on.

    Args:
        name: a run's or a sweep's id, the path of a recipe, or the lab's name.
        sections: the parts of its report, in their order, by the names that `--section` takes.
        document: what they look at, given the place of the files that go with the text.
        remark: what else its name could have meant; empty: nothing.
    """

    name: str
    sections: Mapping[str, Section[Any]]
    document: Callable[[Beside], Any]
    remark: str = ""

    @property
    def file(self) -> str:
        """What the report's file is called if nobody says."""
        return self.file_of("md")

    def file_of(self, format: str) -> str:
        """The same in a format: md, html, latex; or csv, whose tables are files of a folder."""
        from labtui.report.formats import ENDINGS

        return f"report-{slug(self.name)}" + ("_csv" if format == "csv" else ENDINGS[format][0])

    @property
    def titles(self) -> dict[str, str]:
        """Name of each section to what people choose it by."""
        return {name: section.title for name, section in self.sections.items()}

    @property
    def files(self) -> tuple[str, ...]:
        """All that the report may lay beside itself."""
        return tuple(file for section in self.sections.values() for file in section.files)

    def blocks(self, beside: Beside, sections: Collection[str] = ()) -> Iterator[Block]:
        """The report, piece by piece.

        Args:
            beside: gets the tables that go with the text.
            sections: their names; none: all.

        Raises:
            LabError: no such section.
        """
        for name in sections:
            if name not in self.sections:
                known = ", ".join(self.sections)
                raise LabError(f"section {name!r}: this report has none; known here: {known}")
        document = self.document(beside)
        for name, section in self.sections.items():
            if sections and name not in sections:
                continue
            try:
                yield from section.blocks(document)
            except NotRecorded as why:
                yield f"*Not recorded: {why}.*"

    def text(self, sections: Collection[str] = ()) -> str:
        """The report as markdown; its pictures are not drawn.

        Raises:
            LabError: no such section.
        """
        from labtui.report.formats.md import render

        beside = Beside(f"{Path(self.file).stem}_files", draws=False)
        return render(self.name, self.blocks(beside, sections), beside)

    def printed(
        self,
        sections: Collection[str] = (),
        format: str | None = None,
        pictures: bool = True,
        svg: bool = False,
    ) -> str:
        """The report as it would be written, for a pipe; what would lie beside it is left out.

        Raises:
            LabError: no such section or format; several tables as CSV.
        """
        from labtui.report.write import printed

        return printed(self, sections, format, pictures, svg)

    def write(
        self,
        out: Path | None = None,
        sections: Collection[str] = (),
        pictures: bool = True,
        force: bool = False,
        format: str | None = None,
        svg: bool = False,
    ) -> Path:
        """Write the report; what people wrote between marks of notes in the one before stays.

        Args:
            out: the file; a markdown's pictures and tables lie beside it, in `<stem>_files/`. None: `file_of`
                the format in the working directory.
            sections: their names; none: all.
            pictures: draw charts; else they are text.
            force: also over files that labtui did not write, or that were changed since.
            format: md, html, latex or csv; None: as `out` ends, else md.
            svg: pictures as SVG, else as PNG.

        Returns:
            The file, or the folder of tables.

        Raises:
            LabError: it cannot be written, or would replace what labtui did not write; no such section.
        """
        from labtui.report.write import write

        return write(self, out, sections, format, pictures, svg, force)


def of_run(run: Run) -> Subject:
    """One training."""
    from labtui.report.run import SECTIONS
    from labtui.report.run.document import Document

    return Subject(run.id, SECTIONS, lambda beside: Document(run, beside))


def of_sweep(lab: Lab, sweep: str, runs: Collection[Run]) -> Subject:
    """Runs of one sweep: its cells, or the folds of one recipe.

    Raises:
        RunNotFound: there are none.
    """
    if not runs:
        raise RunNotFound(f"sweep {sweep}: has no runs to report on; `labtui resume {sweep}` makes them")
    return of_runs(lab, sweep, runs)


def of_runs(lab: Lab, name: str, runs: Collection[Run], recipe: str = "") -> Subject:
    """Any runs, in one document: of one sweep, of several, of one recipe, or marked by hand.

    Args:
        name: what the report is called by.
        runs: at least one.
        recipe: the file all of whose runs they are.
    """
    from labtui.query.analysis import logarithmic
    from labtui.query.baseline import beside_pinned
    from labtui.report.sweep import SECTIONS
    from labtui.report.sweep.document import Document, beside_first, reported

    rows = [one.row.fields for one in runs]
    table = beside_first(beside_pinned(lab.paths, lab.index.rows, rows, metrics=reported(rows)))
    log = logarithmic(lab.paths, rows)
    return Subject(name, SECTIONS, lambda beside: Document(table, beside, log, lab, recipe))


def of_lab(lab: Lab) -> Subject:
    """All that a lab holds."""
    from labtui.report.lab import SECTIONS
    from labtui.report.lab.document import Document

    return Subject(lab.paths.root.name or "lab", SECTIONS, lambda beside: Document(lab, beside))


def subject(lab: Lab, *references: str) -> Subject:
    """What references mean: a run, a sweep, all runs of a recipe; or several of these in one document; none: the lab.
    What is called both as a run or sweep and as a recipe is the run or the sweep.

    Raises:
        RunNotFound: there is nothing of such a name, or it has no runs.
    """
    if not references:
        return of_lab(lab)
    if len(references) > 1:
        return _together(lab, references)
    (reference,) = references
    name, recipe, runs = _meant(lab, reference)
    remark = _also(lab, reference, name, recipe)
    if recipe or lab.sweep(reference):
        return replace(of_runs(lab, name, runs, recipe), remark=remark)
    return replace(of_run(runs[0]), remark=remark)


def _meant(lab: Lab, reference: str) -> tuple[str, str, list[Run]]:
    """What a reference is called in full, the recipe if it means one, and its runs.

    Raises:
        RunNotFound: see `subject`.
    """
    try:
        runs, sweep = lab.group(reference), lab.sweep(reference)
    except RunNotFound as error:
        recipe, runs = lab.of_recipe(reference)
        if runs:
            return recipe, recipe, runs
        if (file := _file(lab, reference)) is not None:
            raise RunNotFound(
                f"recipe {file}: has no runs to report on; `labtui run {reference}` starts one"
            ) from error
        raise
    if not runs:
        raise RunNotFound(f"sweep {sweep}: has no runs to report on; `labtui resume {sweep}` makes them")
    return sweep or runs[0].id, "", runs


def _file(lab: Lab, reference: str) -> str | None:
    """A recipe's path, as listings have it, with or without its ending; None: there is none."""
    return next(
        (str(row["path"]) for row in lab.recipes() if row["path"] in (reference, f"{reference}.toml")), None
    )


def _also(lab: Lab, reference: str, name: str, recipe: str) -> str:
    """What else a reference could have meant, and what it was taken as."""
    if recipe:
        several = sum(reference in row["id"] for row in lab.index.rows)
        return f"{reference}: part of {several} ids of runs; taken as the recipe {recipe}" if several else ""
    known, runs = lab.of_recipe(reference)
    if not runs or reference == name:
        return ""
    return f"{reference}: taken as {name}; all runs of the recipe are in `labtui report {known}`"


def _together(lab: Lab, references: Sequence[str]) -> Subject:
    """Each run once, whatever names it."""
    names: dict[str, None] = {}
    found: dict[str, Run] = {}
    for reference in references:
        name, _, runs = _meant(lab, reference)
        if new := {run.id: run for run in runs if run.id not in found}:
            names[name] = None
            found |= new
    first, *others = names
    if not others:
        return subject(lab, first)
    name = f"{first} and {others[0] if len(others) == 1 else f'{len(others)} others'}"
    return of_runs(lab, name, list(found.values()))
