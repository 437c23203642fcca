"""A change as a sentence, with what was before and after. Pure.

What is called how stands in `places.py`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from console.audit.change import HIDDEN, NAMES, NOTHING, ChangeRow, Known, Operation, Values
from console.audit.columns import COLUMNS, UNTOLD, VALUES
from console.audit.places import PLACES
from console.rights.facts import WeeklyHours
from console.rights.weekly_hours import words as hours_words
from console.web import times
from console.words import Text, quoted

TOLD_MAX = 3
"""Columns that a sentence names; all are below it."""
SENTENCE_CHARACTERS_MAX = 60
VALUE_CHARACTERS_MAX = 300
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d")
SECRET = Text("(secret)")
"""Said for HIDDEN."""
_PROMPT = "p2k16-console "
_STRIPE = "POST /membership/stripe/webhook"


class Difference(Struct, frozen=True):
    """A column in words. `before`, `after` None: there was no such row, or there is none."""

    label: str
    before: str | None
    after: str | None


class Told(Struct, frozen=True):
    """A change in words: `who` `did`. `who_id`, `whom_id` None: nobody with a page."""

    id: int
    at: datetime
    who: str
    who_id: int | None
    did: str
    whom: str
    whom_id: int | None
    address: str
    doing: str
    differences: tuple[Difference, ...]


def tell(row: ChangeRow, known: Known, now: datetime) -> Told:
    """The change in words. `known`: what the things that it names are called."""
    return Told(
        id=row.id,
        at=row.happened_at,
        who=_who(row),
        who_id=row.actor if row.actor_name else None,
        did=_did(row, known, now),
        whom=row.account_name or "",
        whom_id=row.account if row.account_name else None,
        address=row.address or "",
        doing=row.doing or "",
        differences=_differences(row, known, now, VALUE_CHARACTERS_MAX),
    )


def _who(row: ChangeRow) -> str:
    if row.actor is not None:
        return row.actor_name or Text("account no. {id}", id=row.actor)
    if row.doing is None:
        return Text("The program")
    if row.doing.startswith(_PROMPT):
        return Text("Somebody at the server's prompt")
    return "Stripe" if row.doing == _STRIPE else Text("Somebody who was not logged in")


def _did(row: ChangeRow, known: Known, now: datetime) -> Text:
    place = PLACES.get(row.place)
    if place is None:
        did = Text(
            "{operation} {object} in {place}",
            operation=row.operation,
            object=row.object,
            place=row.place,
        )
    else:
        did = Text.filled(place.words(row.operation), _fillings(row, known))
    if row.operation != Operation.CHANGED:
        return did
    differences = _differences(row, known, now, SENTENCE_CHARACTERS_MAX)
    told = [_difference(each) for each in differences[:TOLD_MAX]]
    if len(differences) > TOLD_MAX:
        told.append(Text("{n} more", n=len(differences) - TOLD_MAX))
    return Text("{did}: {differences}", did=did, differences=Text.joined(told, ", "))


def _fillings(row: ChangeRow, known: Known) -> Mapping[str, str]:
    """What may stand in the braces of a sentence. Whatever isn't known is a question mark."""
    facts = row.facts()
    found = defaultdict(lambda: "?", {key: _plain(key, facts[key], known) for key in facts})
    found |= {"person": _person(row), "object": row.object, "hours": _hours(facts)}
    if row.place == "access.card" and not facts.get("label"):
        found["label"] = Text("no. {id}", id=row.object)
    return found


def _person(row: ChangeRow) -> str:
    if row.account is None:
        return Text("somebody")
    facts = row.facts()
    named = row.account_name or facts.get("name") or facts.get("username")
    return str(named) if named else Text("account no. {id}", id=row.account)


def _hours(facts: Values) -> str:
    minutes = [facts.get(column) for column in ("weekday", "opens_minute", "closes_minute")]
    weekday, opens, closes = (one if isinstance(one, int) else 0 for one in minutes)
    return hours_words(WeeklyHours(weekday, opens, closes)) if weekday else "?"


def _difference(each: Difference) -> Text:
    if SECRET in {each.before, each.after}:
        return Text("{label} {secret}", label=each.label, secret=SECRET)
    return Text(
        "{label} {before} → {after}",
        label=each.label,
        before=each.before or "",
        after=each.after or "",
    )


def _differences(row: ChangeRow, known: Known, now: datetime, most: int) -> tuple[Difference, ...]:
    old, new = row.old, row.new
    is_change = row.operation == Operation.CHANGED
    return tuple(
        Difference(
            COLUMNS.get(column, column.replace("_", " ")),
            None if old is None else _shown(column, old.get(column), known, now, most),
            None if new is None else _shown(column, new.get(column), known, now, most),
        )
        for column, value in (old or new or NOTHING).items()
        if is_change or (value not in (None, "") and column not in UNTOLD)
    )


def _shown(column: str, value: Any, known: Known, now: datetime, most: int) -> str:
    is_text = isinstance(value, str) and (column, value) not in VALUES
    if is_text and column not in NAMES and value != HIDDEN:
        if _MOMENT.fullmatch(value):
            return times.within_sentence(datetime.fromisoformat(value), now)
        return quoted(_cut(value, most))
    plain = SECRET if value == HIDDEN else _plain(column, value, known)
    return plain if isinstance(plain, Text) else _cut(plain, most + 2)


def _plain(column: str, value: Any, known: Known) -> str:
    """A value as it stands in a sentence, without quotation marks."""
    match value:
        case str() if (column, value) in VALUES:
            return VALUES[column, value]
        case None:
            return Text("nothing")
        case bool():
            return Text("yes") if value else Text("no")
        case str() | int() | float() if column in NAMES:
            thing = NAMES[column]
            called = known.get((thing, str(value)))
            return called or (value if isinstance(value, str) else Text("no. {id}", id=str(value)))
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
