"""Runs a command from a small process and prints what it cost: `timed.py COMMAND…`.

A process started from a large one would show the large one's peak memory as its own. What the command leaves behind
(the fork server and the children of mailbot) is adopted and waited for, so that its processor time counts too.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

_PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    cost = {
        "seconds": time.perf_counter() - begin,
        "processor": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
        "megabytes_of_a_child": 0.0,
    }
    for usage in _left_behind():
        cost["processor"] += usage.ru_utime + usage.ru_stime
        cost["megabytes_of_a_child"] = max(cost["megabytes_of_a_child"], usage.ru_maxrss / 1024)
    print(json.dumps(cost))
    return os.waitstatus_to_exitcode(status)


def _left_behind() -> Iterator[resource.struct_rusage]:
    while True:
        try:
            yield os.wait4(-1, 0)[2]
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
