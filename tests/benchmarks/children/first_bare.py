"""Write one record to a file, and wait to be killed."""

import struct
import sys
import time

with open(sys.argv[1], "wb", buffering=0) as file:
    file.write(struct.pack("<qqdd", 0, 0, time.time(), 0.5))
time.sleep(60)
