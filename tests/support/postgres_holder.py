"""A process that uses the embedded PostgreSQL: says where it is, and leaves when its input ends.

python -m tests.support.postgres_holder DATA_DIR
"""

import asyncio
import os
import sys
from pathlib import Path

from console.errors import ConsoleError
from console.postgres.embedded import running_server


async def hold(data_dir: Path) -> None:
    """Prints the conninfo, then waits for the end of the standard input."""
    async with running_server(data_dir) as conninfo:
        os.write(1, f"running {conninfo}\n".encode())
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    try:
        asyncio.run(hold(Path(sys.argv[1])))
    except ConsoleError as error:
        os.write(1, f"refused {error}\n".encode())
