"""A script of your own: it fits a line by gradient descent and tracks it with labtui."""

import argparse

import numpy as np

import labtui

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--steps", type=int, default=300)
args = parser.parse_args()

rng = np.random.default_rng(0)
x = rng.normal(size=200)
y = 3 * x - 2 + 0.1 * rng.normal(size=200)
slope = offset = 0.0

with labtui.init("line", params=vars(args), monitor="train.mse", goals={"train.mse": "min"}) as run:
    for step in range(args.steps):
        error = slope * x + offset - y
        slope -= args.lr * 2 * np.mean(error * x)
        offset -= args.lr * 2 * np.mean(error)
        run.log({"train.mse": np.mean(error**2)}, step=step)
    run.artifact("line", {"slope": slope, "offset": offset})
print(f"y = {slope:.3f} x + {offset:.3f}")
