"""Sweeps: which trainings a recipe stands for, and what is kept of that."""

from labtui.sweep.plan import Plan, Training, expand

__all__ = ["Plan", "Training", "expand"]
