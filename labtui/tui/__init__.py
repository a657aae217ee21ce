"""The terminal user interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labtui.query import Lab


def run_app(lab: Lab, run_id: str = "") -> int:
    """Show a lab on the terminal until the user quits; what runs goes on.

    Args:
        run_id: a run to open at once.

    Returns:
        The exit status.

    Raises:
        LabError: there is no terminal; or the screens have failed, and what is to be known of that is written.
    """
    import gc
    import sys

    from labtui.errors import LabError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LabError("the screens need a terminal; `labtui ls` and `labtui --help` do without one")
    gc.disable()  # nothing of what is loaded now is garbage; the feed's first look turns it on again
    try:
        from labtui.tui.app import LabApp
        from labtui.tui.preferences import preferences

        app = LabApp(lab, preferences(lab.paths.root), run_id)
        app.run()
    finally:
        gc.enable()
    if app.failure:
        raise LabError(_told(lab, app.failure)) from app.failure
    return app.return_code or 0


def _told(lab: Lab, failure: Exception) -> str:
    """Write down where the screens failed, and say so."""
    import time
    import traceback

    path = lab.paths.own / "screens.log"
    text = f"the screens have failed ({type(failure).__name__}: {failure}); runs go on"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(time.strftime("%Y-%m-%d %H:%M:%S\n"))
            file.writelines(traceback.format_exception(failure))
    except OSError as error:
        return f"{text}\n{path} cannot be written ({error.strerror}); `labtui --debug` shows where it was"
    return f"{text}\nwhere it was stands in {path}; `labtui --debug` shows it, too"
