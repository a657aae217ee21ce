"""A run with a minute behind it that logs two scalars five times a second, for so many seconds."""

import sys
import time

import labtui

lab, seconds = sys.argv[1], float(sys.argv[2])
PAST = 300
begin = time.time() - PAST / 5
with labtui.init("live", monitor="train.loss", lab=lab) as run:
    for count in range(1, PAST + int(seconds * 5)):
        time.sleep(max(0.0, begin + count * 0.2 - time.time()))
        run.log({"train.loss": 2.0 / count**0.5, "epoch": count}, step=count)
