"""wandb (offline)"""

import sys
import time

import wandb


def log(steps: int) -> float:
    """Seconds for 3 scalars a step, to the end."""
    run = wandb.init(mode="offline", project="benchmark", settings=wandb.Settings(silent=True))
    start = time.perf_counter()
    for step in range(steps):
        value = 1.0 / (step + 1)
        run.log({"train.loss": value, "train.acc": value, "val.loss": value}, step=step)
    run.finish()
    return time.perf_counter() - start


print(log(int(sys.argv[1])))
