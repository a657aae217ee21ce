"""A report as a file, and what lies beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from labtui.errors import LabError
from labtui.files.atomic import write_atomic
from labtui.report import formats, kept
from labtui.report.document import Beside
from labtui.report.formats import Form

if TYPE_CHECKING:
    from labtui.report.subject import Subject


def write(
    subject: Subject, out: Path | None, sections: Collection[str], format: str | None, pictures: bool, svg: bool, force: bool
) -> Path:  # fmt: skip
    """See `Subject.write`."""
    name = formats.named(format, out)
    if name == "csv":
        from labtui.report.formats import csv

        return csv.write(subject, out or Path(subject.file_of("csv")), sections, force)
    out = out or Path(subject.file_of(name))
    form = formats.form(name)
    with writing(out):
        _spare(out, _beside(subject) if form.beside else (), form, force)
    folder = out.with_name(f"{out.stem}_files")
    beside = Beside(folder.name, draws=form.draws, pictures=pictures, drawn="svg" if svg else "png")
    text = form.render(subject.name, subject.blocks(beside, sections), beside)
    with writing(out):
        if form.beside and beside.files:
            with _whole_or_none(folder, beside.files):
                for file, content in beside.files.items():
                    write_atomic(folder / file, content, fsync=False)
        # Read again: people may have written in it while pictures were drawn.
        whole = _whole(form, subject.name, text, notes_of(out, form, force))
        write_atomic(out, whole.encode("utf-8", "surrogateescape"))
    for file in set(_beside(subject)) - set(beside.files) if form.beside else ():
        with suppress(OSError):  # of an earlier report
            (folder / file).unlink()
    return out


def printed(
    subject: Subject, sections: Collection[str], format: str | None, pictures: bool, svg: bool
) -> str:
    """See `Subject.printed`."""
    name = formats.named(format, None)
    if name == "csv":
        from labtui.report.formats import csv

        return csv.alone(subject, sections, None)
    form = formats.form(name)
    inside = form.draws and not form.beside
    beside = Beside(
        Path(subject.file_of(name)).stem + "_files", inside, pictures and inside, "svg" if svg else "png"
    )
    return _whole(form, subject.name, form.render(subject.name, subject.blocks(beside, sections), beside), [])


def _whole(form: Form, name: str, text: str, notes: Collection[kept.Pair]) -> str:
    clean = text.encode("utf-8", "backslashreplace").decode()
    below = kept.merged(form.marks, clean, notes)
    return f"{kept.first_line(form.marks, name, below)}\n{below}"


def notes_of(out: Path, form: Form, force: bool) -> list[kept.Pair]:
    """What people wrote into the report that is to be replaced.

    Raises:
        LabError: it is none, or was changed where it is labtui's; not with `force`. A mark has no other half.
    """
    if not out.exists():
        return []
    try:
        text = out.read_bytes().decode("utf-8-sig", "surrogateescape").replace("\r\n", "\n")
    except OSError as error:
        raise LabError(f"{out}: cannot be read ({error.strerror}); give -o FILE") from error
    line, _, below = text.partition("\n")
    if not force and not line.startswith(form.marks.first):
        raise not_ours(out)
    found = kept.pairs(form.marks, below, out)
    if not force and kept.changed(form.marks, line, below):
        raise LabError(
            f"{out}: was changed by somebody since labtui wrote it, and would be written anew; put what is yours "
            f"between {form.marks.opening} and {form.marks.closing}, where it stays, and say --force"
        )
    return found


def not_ours(file: Path) -> LabError:
    """An error for a file that is somebody else's."""
    return LabError(f"{file}: was not written by labtui; give another name (-o FILE), or --force")


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Writes a report.

    Raises:
        LabError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise LabError(
            f"{error.filename2 or error.filename or out}: the report cannot be written "
            f"({error.strerror}); give another place with -o FILE"
        ) from error


def _beside(subject: Subject) -> tuple[str, ...]:
    """Names of all that may lie beside the report, whatever its pictures are."""
    drawn = [file.removesuffix(".png") + ".svg" for file in subject.files if file.endswith(".png")]
    return (*subject.files, *drawn)


@contextmanager
def _whole_or_none(folder: Path, files: Collection[str]) -> Iterator[None]:
    """Makes a folder for what lies beside a report; what is new in it goes again where not all of it can be
    written, lest the next report takes it for the user's."""
    made = not folder.exists()
    folder.mkdir(exist_ok=True)
    new = [folder / file for file in files if not (folder / file).exists()]
    try:
        yield
    except OSError:
        with suppress(OSError):
            for file in new:
                file.unlink(missing_ok=True)
            if made:
                folder.rmdir()
        raise


def _spare(out: Path, files: Collection[str], form: Form, force: bool) -> None:
    """Raise LabError if the report would take the place of something of the user's."""
    has_folder(out)
    if out.is_dir():
        inside = out / f"report{out.suffix or '.md'}"
        raise LabError(f"{out}: is a folder; name a file in it, such as -o {inside}")
    notes_of(out, form, force)
    folder = out.with_name(f"{out.stem}_files")
    taken = next((folder / name for name in files if (folder / name).exists()), None)
    if taken and not out.exists() and not force:
        raise not_ours(taken)


def has_folder(out: Path) -> None:
    """Raise LabError if there is no folder to write into, or what stands there is a device or a pipe."""
    if not out.name:
        raise LabError(f"{str(out)!r}: names no file for the report; give -o FILE, or -o - to print it")
    if not out.parent.is_dir():
        raise LabError(f"{out.parent}: no such folder for the report; make it, or give -o FILE")
    if out.exists() and not out.is_file() and not out.is_dir():
        raise LabError(
            f"{out}: is no file that could be replaced; give another name (-o FILE), or -o - to print it"
        )
