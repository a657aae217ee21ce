"""Call `log` (or nothing) at a steady rate, and print how long each call took."""

import struct
import sys
import time

how, lab, calls, rate = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if how == "labtui":
    import labtui

    run = labtui.init("caller", lab=lab)
    log = run.log
else:

    def log(metrics: dict[str, float], step: int) -> None:
        """Nothing."""


clock, took = time.perf_counter, []
begin = clock()
for step in range(1, calls + 1):
    time.sleep(max(0.0, begin + step / rate - clock()))
    metrics = {"train.loss": 1.0 / step}
    start = clock()
    log(metrics, step=step)
    took.append(clock() - start)
if how == "labtui":
    run.finish()
sys.stdout.buffer.write(struct.pack(f"<{calls}d", *took))
