"""A report as a file, and what lies beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from labtui.errors import LabError
from labtui.files.atomic import write_atomic
from labtui.report.blocks import Block, Picture
from labtui.report.document import Beside
from labtui.report.text import fence

if TYPE_CHECKING:
    from labtui.report.subject import Subject

MARK = "<!-- labtui report "


def markdown(name: str, blocks: Iterable[Block], beside: Beside) -> str:
    """Blocks as GitHub's markdown, under the mark by which labtui knows its reports.

    Args:
        name: of what the report is of.
        beside: gets the pictures, if it draws.
    """
    mark = f"{MARK}{name.replace('--', '-').replace('>', '')} -->"
    return "\n\n".join([mark, *_texts(blocks, beside)]) + "\n"


def _texts(blocks: Iterable[Block], beside: Beside) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, str):
            yield block
        elif not isinstance(block, Picture):
            yield block.markdown()
        elif beside.pictures:
            yield f"![{block.said}]({beside.attach(block.file, block.png)})"
            if beside.draws and (remark := block.remark()):
                yield remark
        else:
            yield block.said + "."
            if lines := block.drawn():
                yield fence(lines)


def write(subject: Subject, out: Path, sections: Collection[str], pictures: bool, force: bool) -> Path:
    """See `Subject.write`."""
    folder = out.with_name(f"{out.stem}_files")
    if not force:
        _spare(out, folder, subject.files)
    beside = Beside(folder.name, pictures=pictures)
    content = markdown(subject.name, subject.blocks(beside, sections), beside)
    try:
        if beside.files:
            folder.mkdir(exist_ok=True)
        for name, file in beside.files.items():
            write_atomic(folder / name, file, fsync=False)
        write_atomic(out, content.encode("utf-8", "backslashreplace"), fsync=False)
    except OSError as error:
        raise LabError(
            f"{error.filename2 or error.filename or out}: the report cannot be written "
            f"({error.strerror}); give another place with -o FILE"
        ) from error
    for name in set(subject.files) - set(beside.files):
        with suppress(OSError):  # of an earlier report
            (folder / name).unlink()
    return out


def _spare(out: Path, folder: Path, files: Collection[str]) -> None:
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
        taken = next((folder / name for name in files if (folder / name).exists()), None)
    if taken:
        raise LabError(f"{taken}: was not written by labtui; give another name (-o FILE), or --force")
