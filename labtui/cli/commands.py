"""The complete application: each module adds its commands to `app` when it is imported."""

from labtui.cli import (
    analysis,
    cleaning,
    comparing,
    importing,
    labs,
    launching,
    listing,
    machine,
    notebook,
    queueing,
    watching,
    writing,
)
from labtui.cli.app import app

__all__ = [
    "analysis",
    "app",
    "cleaning",
    "comparing",
    "importing",
    "labs",
    "launching",
    "listing",
    "machine",
    "notebook",
    "queueing",
    "watching",
    "writing",
]
