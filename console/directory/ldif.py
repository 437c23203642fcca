"""Everybody as LDIF, for a script that fills an LDAP server. Pure.

The bytes are those of the old web app: `\\n` at line ends, an empty line after each record, lines
folded at 76 characters, attributes by name. Each person is deleted and added again, so an account
without a name, which can't be added (`sn` is required), disappears. `userPassword` is the bare
hash: whoever imports it puts `{CRYPT}` before it. Source: the contract of the old API, §9.

Anything but ASCII, a line end, and a space, colon or `<` at the beginning stand as
`attribute:: base64 of UTF-8`. So no value can end its line, and an LDAP server gets every name in
`cn` and `sn` as it wants them. (RFC 2849 would have base64 for a space at the end, too; readers
take one, and the old web app wrote it.) `gecos` goes the same way; a server whose
schema lets only ASCII into it (RFC 2307) refuses such a person unless its import drops `gecos`.

In the `dn`, what RFC 4514 reserves is escaped, and nothing else. The old web app escaped nothing: a
comma made another name of it, and a plus, which a user name may have, none at all.
"""

import base64
import re
from collections.abc import Iterable, Iterator

from console.directory.entry import Entry

SUFFIX = "ou=People,dc=bitraf,dc=no"
NUMBER = "1000"
"""`uidNumber` and `gidNumber` of everybody."""
COLUMNS = 76

_SAFE = re.compile(r"(?![ :<])[\x01-\x09\x0b\x0c\x0e-\x7f]*", re.ASCII)
"""SAFE-STRING of RFC 2849."""
_RESERVED = re.compile(r'^[ #]|[",+;<>\\\x00]| \Z')
"""What can't stand in a name of RFC 4514, section 2.4."""


def ldif(entries: Iterable[Entry]) -> bytes:
    """All of them, in the order given."""
    return "".join(f"{record}\n" for entry in entries for record in _records(entry)).encode("ascii")


def _records(entry: Entry) -> Iterator[str]:
    name = _line("dn", f"uid={_escaped(entry.username)},{SUFFIX}")
    yield name + _line("changetype", "delete")
    words = (entry.name or "").split()
    if words:
        attributes = "".join(_line(*pair) for pair in _attributes(entry, surname=words[-1]))
        yield name + _line("changetype", "add") + attributes


def _attributes(entry: Entry, *, surname: str) -> Iterator[tuple[str, str]]:
    full_name = entry.name or surname
    yield "cn", full_name
    yield "gecos", full_name
    yield "gidNumber", NUMBER
    yield "homeDirectory", f"/home/{entry.username}"
    if entry.email:
        yield "mail", entry.email
    for kind in ("top", "inetOrgPerson", "posixAccount"):
        yield "objectClass", kind
    yield "sn", surname
    yield "uid", entry.username
    yield "uidNumber", NUMBER
    if entry.password:
        yield "userPassword", entry.password


def _line(attribute: str, value: str) -> str:
    """One attribute, on as many lines as it takes."""
    if _SAFE.fullmatch(value):
        text = f"{attribute}: {value}"
    else:
        text = f"{attribute}:: {base64.b64encode(value.encode()).decode('ascii')}"
    folded = [text[:COLUMNS]]
    # The space that a continuation begins with counts, too.
    folded += [f" {text[at : at + COLUMNS - 1]}" for at in range(COLUMNS, len(text), COLUMNS - 1)]
    return "".join(f"{line}\n" for line in folded)


def _escaped(username: str) -> str:
    """As it stands in a `dn`: each reserved character as a backslash and its byte in hex."""
    return _RESERVED.sub(lambda found: f"\\{ord(found[0]):02x}", username)
