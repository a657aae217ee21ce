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
        LabError: there is no terminal.
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
    return app.return_code or 0
