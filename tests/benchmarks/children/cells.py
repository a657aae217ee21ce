"""Cells as nobody can do without: the product of the lists, each as JSON, hashed."""

import json
import sys
from hashlib import blake2b
from itertools import product
from pathlib import Path

space = json.loads(Path(sys.argv[1]).read_text())
seen = set()
for values in product(*space.values()):
    text = json.dumps(dict(zip(space, values, strict=True)))
    seen.add(blake2b(text.encode(), digest_size=12).hexdigest())
print(len(seen))
