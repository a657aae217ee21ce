"""The command line: one function a command, errors as one message, exit statuses as promised.

Exit status: 0 all finished, 1 a run failed, 2 the request was wrong, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

from labtui.errors import LabtuiError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed; no other file may get its number
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    try:
        sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))
    except KeyboardInterrupt:  # while it is loaded
        sys.exit(130)


def run(arguments: list[str]) -> int:
    """Run the command line; its exit status. Errors are messages on stderr, never tracebacks."""
    debug = "--debug" in arguments
    try:
        lab = _of_screens(arguments)
        return _command(arguments) if lab is None else _screens(lab)
    except KeyboardInterrupt:
        return 130
    except (BrokenPipeError, SystemExit):
        # The reader has seen enough (`labtui ls | head`; typer makes an exit of it when it sees it
        # first); nothing more may be flushed to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        from labtui.table import clean

        if isinstance(error, LabtuiError):
            say = [clean(line) for line in str(error).splitlines()]
        elif hasattr(error, "show"):  # typer's usage errors, whichever click it builds on
            error.show()
            return 2
        elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
            say = [clean(f"cannot be written ({error.strerror}): {error.filename or 'the output'}")]
        else:
            say = [clean(f"{type(error).__name__}: {error}")]
            say.append("this should not have happened; --debug shows where")
        print("labtui: " + "\n".join(say), file=sys.stderr)
        return 2


def _of_screens(arguments: Sequence[str]) -> str | None:
    """The lab of a command line that asks for the screens and nothing else (empty: the one that is
    nearest); None for all others. The screens need none of the commands, which take long to load."""
    match arguments:
        case []:
            return ""
        case ["--lab", lab] if lab:
            return lab
        case [only] if only.startswith("--lab=") and len(only) > 6:
            return only[6:]
    return None


def _screens(lab: str) -> int:
    from labtui.query import open_lab
    from labtui.tui import run_app

    return run_app(open_lab(lab or None))


def _command(arguments: list[str]) -> int:
    import typer

    from labtui.cli.commands import app

    try:
        # Not typer's own handling: a broken pipe and an interrupt have their own status here.
        outcome = app(arguments, standalone_mode=False)
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.Abort:
        return 130
    return outcome if isinstance(outcome, int) else 0
