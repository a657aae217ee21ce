"""A run's report in markdown, one section a file; and that of a sweep.

A section is a function of the document that yields blocks of markdown, its heading first; where it
knows no more it raises `NotRecorded`, and the report says so. To add one: write it, list it here.
`labtui.report.subject` says what a report is of, and shows and writes either kind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from labtui.errors import LabError
from labtui.files.atomic import write_atomic
from labtui.report import (
    analysis,
    confusion,
    curves,
    data,
    hyperparameters,
    model,
    notes,
    overview,
    reproduce,
    results,
    sweeps,
    training,
)
from labtui.report.document import Beside, Document, NotRecorded, Section, chosen

if TYPE_CHECKING:
    from labtui.query.aggregate import Aggregate
    from labtui.query.lab import Run

__all__ = ["report", "sweep_report"]

SECTIONS: dict[str, Section[Document]] = {
    "overview": Section("How it ended, description, tags", overview.section),
    "hyperparameters": Section("Hyper-parameters", hyperparameters.section),
    "model": Section("Model", model.section),
    "data": Section("Data", data.section),
    "training": Section("Training, epoch by epoch", training.section),
    "curves": Section("Curves", curves.section),
    "results": Section("Result", results.section),
    "confusion": Section("Confusion matrix and classes", confusion.section),
    "observations": Section("Observations", notes.observations),
    "todos": Section("To do", notes.todos),
    "reproduce": Section("How to run it again", reproduce.section),
}
"""Of a run's report, by the names that `--section` takes, in their order."""
MARK = "<!-- labtui report "
FILES = (
    "loss.png",
    "monitored.png",
    "others.png",
    "log.csv",
    "confusion.csv",
    "agreement.csv",
    *analysis.FILES,
)
"""All that a report ever lays beside itself."""


def report(
    run: Run, out: Path, pictures: bool = True, force: bool = False, sections: Collection[str] = ()
) -> Path:
    """Write a run's report.

    Args:
        run: any run, in any state.
        out: the markdown file; pictures and tables lie beside it, in `<stem>_files/`.
        pictures: draw curves.
        force: also over files that labtui did not write.
        sections: names of SECTIONS; none: all.

    Returns:
        `out`.

    Raises:
        LabError: it cannot be written, or would replace what labtui did not write; no such section.
    """
    document = Document(run, Beside(_folder(out).name), pictures)
    _write(out, force, document.beside.files, lambda: compose(document, sections))
    return out


def sweep_report(
    table: Aggregate,
    out: Path,
    pictures: bool = True,
    force: bool = False,
    log: Collection[str] = (),
    sections: Collection[str] = (),
) -> Path:
    """Write the report of a sweep, or of any runs: their groups beside the baseline, then each run.

    Args:
        table: the groups, by both protocols.
        out, pictures, force: as for `report`.
        log: keys that are seen on a logarithmic scale, whatever they span.
        sections: names of `sweeps.SECTIONS`; none: all.

    Returns:
        `out`.

    Raises:
        LabError: it cannot be written, or would replace what labtui did not write; no such section.
    """
    beside = Beside(_folder(out).name)
    document = sweeps.Document(table, beside if pictures else None, log)
    _write(out, force, beside.files, lambda: compose_sweep(document, sections))
    return out


def _folder(out: Path) -> Path:
    return out.with_name(f"{out.stem}_files")


def _write(out: Path, force: bool, files: dict[str, bytes], text: Callable[[], str]) -> None:
    """Write the text, and then the files that it has made, into the folder beside it."""
    folder = _folder(out)
    if not force:
        _spare(out, folder)
    content = text().encode("utf-8", "backslashreplace")
    try:
        if files:
            folder.mkdir(exist_ok=True)
        for name, file in files.items():
            write_atomic(folder / name, file, fsync=False)
        write_atomic(out, content, fsync=False)
    except OSError as error:
        raise LabError(
            f"{error.filename2 or error.filename or out}: the report cannot be written "
            f"({error.strerror}); give another place with -o FILE"
        ) from error
    for name in set(FILES) - set(files):
        with suppress(OSError):  # of an earlier report
            (folder / name).unlink()


def compose(document: Document, sections: Collection[str] = ()) -> str:
    """The report's text; what goes with it is then in `document.beside`.

    Args:
        sections: names of SECTIONS; none: all.

    Raises:
        LabError: no such section.
    """
    blocks: list[str] = []
    for section in chosen(SECTIONS, sections):
        try:
            blocks.extend(section.blocks(document))
        except NotRecorded as why:
            blocks.append(f"*Not recorded: {why}.*")
    return _text(document.run.id, blocks)


def compose_sweep(document: sweeps.Document, sections: Collection[str] = ()) -> str:
    """The text of a sweep's report; what goes with it is then in `document.beside`.

    Args:
        sections: names of `sweeps.SECTIONS`; none: all.

    Raises:
        LabError: no such section.
    """
    found = chosen(sweeps.SECTIONS, sections)
    return _text(document.sweep, (block for section in found for block in section.blocks(document)))


def _text(name: str, blocks: Iterable[str]) -> str:
    """Blocks under the mark by which labtui knows its reports."""
    mark = f"{MARK}{name.replace('--', '-').replace('>', '')} -->"
    return "\n\n".join([mark, *blocks]) + "\n"


def _spare(out: Path, folder: Path) -> None:
    """Raise LabError if the report would take the place of something of the user's."""
    if not out.parent.is_dir():
        raise LabError(f"{out.parent}: no such folder for the report; make it, or give -o FILE")
    if out.is_dir():
        raise LabError(f"{out}: is a folder; name a file in it, such as -o {out / 'report.md'}")
    if out.exists():
        try:
            with open(out, "rb") as file:
                ours = file.read(len(MARK)) == MARK.encode()
        except OSError as error:
            raise LabError(f"{out}: cannot be read ({error.strerror}); give -o FILE") from error
        taken = None if ours else out
    else:
        taken = next((folder / name for name in FILES if (folder / name).exists()), None)
    if taken:
        raise LabError(f"{taken}: was not written by labtui; give another name (-o FILE), or --force")
