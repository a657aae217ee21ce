"""tensorboardX"""

import sys
import time

from tensorboardX import SummaryWriter


def log(steps: int) -> float:
    """Seconds for 3 scalars a step, to the end."""
    writer = SummaryWriter("runs")
    start = time.perf_counter()
    for step in range(steps):
        value = 1.0 / (step + 1)
        for name in ("train/loss", "train/acc", "val/loss"):
            writer.add_scalar(name, value, step)
    writer.close()
    return time.perf_counter() - start


print(log(int(sys.argv[1])))
