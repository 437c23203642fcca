"""Everybody as lines of a passwd file. Pure.

`username:hash:id:id:name:/bitraf/home/username:/bin/bash`, with `None` for what isn't there.
Source: the contract of the old API, §9.
"""

import re
from collections.abc import Iterable

from console.directory.entry import Entry

NOTHING = "None"
"""Also a hash that no password has."""

_NAMEABLE = re.compile(r"[^\s:+\-][^\s:]*")
_HASH = re.compile(r"[!-9;-~]+")


def is_nameable(username: str) -> bool:
    """Whether a line can begin with this name.

    A colon or a line end would make further fields or lines of it, and a plus or minus at the
    beginning is an order to those who read the file, not a name.
    """
    return username.isprintable() and _NAMEABLE.fullmatch(username) is not None


def passwd(entries: Iterable[Entry]) -> bytes:
    """Whoever is nameable, in the order given."""
    lines = (_line(entry) for entry in entries if is_nameable(entry.username))
    return "".join(lines).encode()


def _line(entry: Entry) -> str:
    fields = (
        entry.username,
        _hash(entry.password),
        str(entry.account_id),
        str(entry.account_id),
        NOTHING if entry.name is None else _cleaned(entry.name),
        f"/bitraf/home/{entry.username}",
        "/bin/bash",
    )
    return ":".join(fields) + "\n"


def _hash(password: str | None) -> str:
    """An empty field would let everybody in, so nothing but a whole hash gets through."""
    return password if password and _HASH.fullmatch(password) else NOTHING


def _cleaned(name: str) -> str:
    """A space for each character that would end the field or the line, or that nobody sees."""
    return "".join(
        character if character.isprintable() and character != ":" else " " for character in name
    )
