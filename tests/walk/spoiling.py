"""What may come in the fields of a form that nobody should send, and what a valid one holds."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from tests.walk.markup import Form

Body = bytes

MEANT: Mapping[str, str] = MappingProxyType(
    {
        "username": "pawn",
        "title": "Potter",
        "usernames": "pawn",
        "comment": "she asked for it",
        "credential": "em4100:0A00B26E7B",
        "label": "blue fob",
        "password": "a long enough one",
        "name": "Pawn Walker",
        "email": "pawn@example.org",
        "phone": "+4798765432",
    }
)
"""What people type into fields that come empty, by the field's name."""
TYPED = "something"

EVERYWHERE = (
    "",
    " ",
    "x" * 4_000,
    "x" * 10_000,
    "👩🏽‍🔧🗝️" * 30,
    "\u202eabc\u202c מִפְתָּח",
    "e" + "\u0301" * 400,
    "\u0000",
    "a\u0000b",
    "a\u0007b\u001b[31m",
    "\u0085\u2028\u2029\ufeff\ufffe",
    "a\r\nSet-Cookie: x=1\r\n",
    "<script>alert(1)</script>'\"; --",
    "{{ 7 * 7 }} %s %(x)s \\",
)
"""For every field: what is too long, too strange, or meant to be taken for something else."""

BESIDE_PASSWORDS = ("", "x" * 4_000, "x" * 10_000, "👩🏽‍🔧🗝️" * 30, "a\u0000b", "\u202eabc\u202c")
"""The same where a password is hashed each time, which takes a fifth of a second."""

AS_NUMBERS = (
    *("-1", "0", "1.5", "1e3", "0x10", "NaN", "١٢", "²", "999999999999999999"),
    *("9223372036854775808", "9" * 400, "true", "null"),
)
"""Numbers and ids that are none, or nobody's."""

AS_DATES = ("2026-13-45", "0000-00-00", "99999-01-01", "2026-02-30T25:61", "infinity", "yesterday")

RAW = (
    b"%",
    b"%ff%fe=%ff",
    b"username=%ED%A0%80",
    b"=&=&&",
    b"a=1&" * 60,
    b"\xff\xfe\x00",
    b'{"username": "vera"}',
)
"""Bodies that are no form at all."""


def valid(form: Form) -> dict[str, str]:
    """The form as somebody sends it who means it."""
    return {
        one.name: one.value or (MEANT.get(one.name, TYPED) if one.kind != "hidden" else "")
        for one in form.fields
    }


def spoiled(form: Form) -> Iterator[tuple[str, Body]]:
    """Each way to spoil the form, with the body that is sent."""
    good = valid(form)
    has_password = any(one.kind == "password" for one in form.fields)
    yield "empty", b""
    yield "all fields empty", encoded(dict.fromkeys(good, "").items())
    yield "all fields too long", encoded(dict.fromkeys(good, "x" * 10_000).items())
    yield "each field twice", encoded([*good.items(), *good.items()])
    yield "unknown fields", encoded([*good.items(), ("id", "1"), ("created_by", "1")])
    for raw in RAW:
        yield f"raw {raw[:20]!r}", raw
    # What people type comes first: of the hidden ones most hold what is sent back unread.
    for one in sorted(form.fields, key=lambda field: field.kind == "hidden"):
        yield f"without {one.name}", encoded((n, v) for n, v in good.items() if n != one.name)
        for wrong in BESIDE_PASSWORDS if has_password else _wrong(one.kind):
            yield f"{one.name} = {wrong[:20]!r}", encoded((good | {one.name: wrong}).items())


def encoded(pairs: Iterable[tuple[str, str]]) -> Body:
    """As a browser encodes it."""
    return urlencode(list(pairs)).encode()


def _wrong(kind: str) -> tuple[str, ...]:
    match kind:
        case "hidden" | "select" | "number" | "radio" | "checkbox":
            return EVERYWHERE + AS_NUMBERS
        case "date" | "datetime-local" | "time":
            return EVERYWHERE + AS_NUMBERS + AS_DATES
        case _:
            return EVERYWHERE
