"""Read JSON lines, sort them by a metric, print them."""

import json
import sys

path, metric = sys.argv[1:]
with open(path) as file:
    rows = [(json.loads(line)["metrics"][metric]["at_best"], line) for line in file]
rows.sort(key=lambda pair: pair[0], reverse=True)
sys.stdout.writelines(line for _, line in rows)
