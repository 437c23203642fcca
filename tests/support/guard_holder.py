"""Keeps a door unlocked through a real guard, in a process that a test may kill or stop.

    python -m tests.support.guard_holder WORK_DIR TRACE {alone,exec,fork}

Prints one JSON line with the process ids once the relay is on. `exec` starts a child program that
inherits whatever it can, `fork` a child that has everything; both outlive the holder. All of them
end by themselves after a minute.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import structlog

from edge.lease import grant_of
from edge.relays import Relays
from edge.unlocks import Unlocks
from sync.ids import PointKey, TapId

FRONT = PointKey("front")


def lingering_child(kind: str) -> int | None:
    """A child that stays when its parent dies."""
    if kind == "exec":
        return subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL).pid
    if kind == "fork":
        pid = os.fork()
        if pid == 0:
            signal.alarm(60)
            signal.pause()
            os._exit(0)
        return pid
    return None


async def hold(work_dir: Path, trace: Path, kind: str) -> None:
    """Unlocks for a minute."""
    signal.alarm(60)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    is_on = asyncio.Event()
    relays = Relays(
        {FRONT: [17]},
        work_dir=work_dir,
        trace=trace,
        changed=lambda _point, on: is_on.set() if on else None,
    )
    unlocks = Unlocks(relays, ended=lambda _point, _grant: None)
    running = asyncio.create_task(relays.run())
    unlocks.begin(FRONT, grant_of(TapId("ab" * 16)), 60)
    await is_on.wait()
    child = lingering_child(kind)
    print(json.dumps({"guard": relays.guard_pid, "child": child}), flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(hold(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
