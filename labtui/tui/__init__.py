"""The terminal user interface."""

from __future__ import annotations

from labtui.query import Lab


def run(lab: Lab, theme: str = "labtui", run_id: str = "") -> None:
    """Show a lab on the terminal until the user quits; what runs goes on.

    Args:
        theme: name of a theme.
        run_id: a run to open at once.
    """
    from labtui.tui.app import LabApp

    LabApp(lab, theme, run_id=run_id).run()
