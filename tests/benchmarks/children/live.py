"""Runs with a minute behind them, each of which logs two scalars five times a second, for so many seconds.

Each is a process of its own that writes its metric log as any training does; the newest is "live 0".
With a rate, so many times as often: hours of a training in minutes.
"""

import os
import sys
import time

import labtui

lab, seconds, runs, rate = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), 5.0 * float(sys.argv[4])
PAST = 300
number = runs - 1
while number and os.fork():
    number -= 1
if runs > 1 and not number:
    time.sleep(2.0)
begin = time.time() - PAST / rate
with labtui.init(f"live {number}", monitor="train.loss", lab=lab) as run:
    for count in range(1, PAST + int(seconds * rate)):
        time.sleep(max(0.0, begin + count / rate - time.time()))
        run.log({"train.loss": 2.0 / count**0.5, "epoch": count}, step=count)
