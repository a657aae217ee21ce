"""Other tools at the same work, each installed in a virtual environment of its own.

Each script in `peers/` names its package in its first line, and its `log(steps)` logs 3 scalars a
step, to the end; slow ones are given fewer steps, which the table says. A package that cannot be
installed here is left out. The baseline is labtui's own rate in the same run.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from harness import HERE, Row, fresh, median
from logging_rate import logged

STEPS = {
    "tensorboardx_log.py": 20_000,
    "mlflow_log.py": 1_000,
    "wandb_log.py": 10_000,
    "trackio_log.py": 10_000,
}
"""How many steps each is given."""


def rows(quick: bool) -> Iterator[Row]:
    """The lines of the table."""
    full = median([logged(100_000, [], []) for _ in range(3)])
    labtui = 300 / full
    for script in sorted((HERE / "peers").glob("*.py")):
        steps = STEPS[script.name] // (5 if quick else 1)
        package = script.read_text().split()[0].strip('"')
        python = installed(package)
        if python is None:
            print(f"# {package}: skipped, cannot be installed here", flush=True)
            continue
        command = [str(python), str(script), str(steps)]
        ended = subprocess.run(command, check=False, cwd=fresh(package), capture_output=True, text=True)
        if ended.returncode:
            print(f"# {package}: skipped, failed: {ended.stderr.strip().splitlines()[-1:]}", flush=True)
            continue
        rate = steps * 3 / 1e3 / float(ended.stdout.split()[-1])
        work = f"{package} logs 3 scalars × {steps:,} steps; baseline: it, labtui: × 100,000"
        yield Row(work, labtui, "k/s", rate)


def installed(package: str, beside: bool = False) -> Path | None:
    """The Python of a new environment with the package; None when it cannot be made.

    Args:
        beside: it has what this Python has too: the same torch, which need not be downloaded.
    """
    folder = fresh(f"venv-{package}")
    python = folder / "bin" / "python"
    made = [sys.executable, "-m", "venv", str(folder)]
    install = [str(python), "-m", "pip", "install", "--quiet", package]
    try:
        subprocess.run(made, check=True, capture_output=True, timeout=600)
        if beside:
            packages = next(folder.glob("lib/python*/site-packages"))
            (packages / "beside.pth").write_text(sysconfig.get_path("purelib"))
        subprocess.run(install, check=True, capture_output=True, timeout=600)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return python
