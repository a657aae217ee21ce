"""Log one scalar, and wait to be killed."""

import sys
import time

import labtui

run = labtui.init("first", lab=sys.argv[1])
run.log({"train.loss": 0.5}, step=1)
time.sleep(60)
