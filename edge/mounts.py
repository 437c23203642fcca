"""On what kind of file system a folder lies, from the text of /proc/self/mountinfo. Pure.

Source: proc_pid_mountinfo(5).
"""

import re
from pathlib import PurePath

VOLATILE = frozenset({"overlay", "aufs", "tmpfs", "ramfs"})
"""What forgets everything when the power goes, at least where the system is read-only."""

_OCTAL = re.compile(r"\\([0-7]{3})")


def file_system(path: PurePath, mountinfo: str) -> str | None:
    """The type of the file system that an absolute path without links lies on; None: not told."""
    found: tuple[int, str] | None = None
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) < 5 or not kinds[0]:
            continue
        point = PurePath(_OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        # Of two at the same place the later one hides the other.
        if path.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), kinds[0]
    return None if found is None else found[1]
