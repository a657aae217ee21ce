"""trackio (offline)"""

import os
import sys
import time

os.environ |= {"TRACKIO_DIR": os.getcwd(), "HF_HUB_OFFLINE": "1"}

import trackio


def log(steps: int) -> float:
    """Seconds for 3 scalars a step, to the end."""
    trackio.init(project="benchmark", embed=False)
    start = time.perf_counter()
    for step in range(steps):
        value = 1.0 / (step + 1)
        trackio.log({"train.loss": value, "train.acc": value, "val.loss": value}, step=step)
    trackio.finish()
    return time.perf_counter() - start


print(log(int(sys.argv[1])))
