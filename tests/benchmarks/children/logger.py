"""Log at 1 kHz, and say on stdout, unbuffered, what was logged: step and time."""

import os
import struct
import sys
import time
from pathlib import Path

how, lab = sys.argv[1:]
if how == "labtui":
    import labtui

    run = labtui.init("logger", lab=lab)

    def log(value: float, step: int) -> None:
        """labtui's."""
        run.log({"train.loss": value}, step=step)

else:
    folder = Path(lab, "runs", "2")
    folder.mkdir()
    file = open(folder / "metrics.bin", "wb", buffering=0)  # noqa: SIM115

    def log(value: float, step: int) -> None:
        """One system call a record."""
        file.write(struct.pack("<qqdd", 0, step, time.time(), value))


start = time.perf_counter()
for step in range(1, 60_000):
    time.sleep(max(0.0, start + step * 1e-3 - time.perf_counter()))
    log(1.0 / step, step)
    os.write(1, struct.pack("<qd", step, time.time()))
