"""Offline runs of W&B: one with so many steps of three losses; then, live, ten scalars a second."""

import math
import random
import sys
import time

import wandb

steps, live = int(sys.argv[1]), float(sys.argv[2])
settings = wandb.Settings(silent=True, x_disable_stats=True)
config = {f"option_{number}": number for number in range(45)}
with wandb.init(mode="offline", project="benchmark", name="peer", settings=settings, config=config) as run:
    chance = random.Random(0)
    for step in range(steps):
        falling = 2 * math.exp(-4 * step / steps)
        losses = (falling * math.exp(chance.gauss(0, 0.3)) for _ in range(3))
        run.log(dict(zip(("train.loss", "val.loss", "test.loss"), losses, strict=True)))
    begin = time.time()
    for count in range(1, int(live * 5)):
        time.sleep(max(0.0, begin + count / 5 - time.time()))
        run.log({"train.loss": 2.0 / count**0.5, "epoch": 100_000 + count})
        print(time.time(), 100_000 + count, flush=True)
