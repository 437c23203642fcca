"""What may come in the fields of a form that nobody should send, and what a valid one holds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from tests.walk.markup import Field, Form

Body = bytes
TEXTS = frozenset({"text", "email", "tel", "textarea"})
"""Kinds of fields whose text is kept, or refused."""

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
        "broker": "mqtt://192.0.2.7",
        "from": "2031-03-01",
        "until": "2031-03-31",
        "amount": "400",
        "key": "walked",
        "reason": "it burns",
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

FEWER = ("", "x" * 4_000, "x" * 10_000, "👩🏽‍🔧🗝️" * 30, "a\u0000b", "\u202eabc\u202c")
"""Where a password is hashed each time, which takes a fifth of a second, and where nobody types."""

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


@dataclass(frozen=True, slots=True)
class Spoiled:
    """One way to spoil a form. `typed`: what somebody has put into `field`, which is for text."""

    how: str
    body: Body
    field: str = ""
    typed: str = ""


def valid(form: Form) -> dict[str, str]:
    """The form as somebody sends it who means it: what has to be filled in is, and no more."""
    return form.filled() | {
        one.name: MEANT.get(one.name, TYPED)
        for one in form.fields
        if one.is_required and not one.value
    }


def changed_once(form: Form) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Each field that may be changed, with the form as one person sends it, and then another.

    The other one changes the same field differently, or leaves it as her page shows it.
    """
    good = valid(form)
    boxes = [one for one in form.fields if one.kind in {"checkbox", "radio"}]
    for one in form.fields:
        if one.kind in {"hidden", "submit", "password", "file"}:
            continue
        if one in boxes:
            other = boxes[boxes.index(one) - 1]
            yield one.name, _toggled(good, one), good if one is other else _toggled(good, other)
            continue
        first, *others = _other_values(one, good[one.name]) or (good[one.name],)
        yield (
            one.name,
            good | {one.name: first},
            good | ({one.name: others[-1]} if others else {}),
        )


def spoiled(form: Form) -> Iterator[Spoiled]:
    """Each way to spoil the form, with the body that is sent."""
    good = valid(form)
    has_password = any(one.kind == "password" for one in form.fields)
    yield Spoiled("empty", b"")
    yield Spoiled("all fields empty", encoded(dict.fromkeys(good, "").items()))
    yield Spoiled("all fields too long", encoded(dict.fromkeys(good, "x" * 10_000).items()))
    yield Spoiled("each field twice", encoded([*good.items(), *good.items()]))
    yield Spoiled("unknown fields", encoded([*good.items(), ("id", "1"), ("created_by", "1")]))
    for raw in RAW:
        yield Spoiled(f"raw {raw[:20]!r}", raw)
    # What people type comes first: of the hidden ones most hold what is sent back unread.
    for one in sorted(_unlike(form.fields), key=lambda field: field.kind == "hidden"):
        without = encoded((n, v) for n, v in good.items() if n != one.name)
        yield Spoiled(f"without {one.name}", without)
        for wrong in FEWER if has_password else _wrong(one.kind):
            body = encoded((good | {one.name: wrong}).items())
            typed = wrong if one.kind in TEXTS else ""
            yield Spoiled(f"{one.name} = {wrong[:20]!r}", body, one.name, typed)


def encoded(pairs: Iterable[tuple[str, str]]) -> Body:
    """As a browser encodes it."""
    return urlencode(list(pairs)).encode()


def _wrong(kind: str) -> tuple[str, ...]:
    match kind:
        case "hidden" | "select" | "radio" | "checkbox":
            return FEWER + AS_NUMBERS
        case "number":
            return EVERYWHERE + AS_NUMBERS
        case "date" | "datetime-local" | "time":
            return EVERYWHERE + AS_NUMBERS + AS_DATES
        case _:
            return EVERYWHERE


def _unlike(fields: Iterable[Field]) -> list[Field]:
    """Of those whose names differ by a number only, such as of many circles, the first."""
    found: dict[str, Field] = {}
    for one in fields:
        found.setdefault(one.name.rstrip("0123456789"), one)
    return list(found.values())


def _toggled(good: Mapping[str, str], box: Field) -> dict[str, str]:
    without = {name: value for name, value in good.items() if name != box.name}
    return without if box.name in good else without | {box.name: box.value}


def _other_values(one: Field, stored: str) -> tuple[str, ...]:
    value = stored or MEANT.get(one.name, TYPED)
    match one.kind:
        case "select":
            return tuple(option for option in one.options if option != stored)
        case "date":
            return (f"{value[:-2]}02", f"{value[:-2]}03")
        case "email":
            return (f"1{value}", f"2{value}")
        case _ if value.isdigit():
            return (str(int(value) + 1), str(int(value) + 2))
        case _:
            return (f"{value}1", f"{value}2")
