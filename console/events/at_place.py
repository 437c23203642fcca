"""What happened at a door or tool, in words for its own page."""

from collections.abc import Sequence
from dataclasses import replace

from msgspec import Struct

from console.database import Connection
from console.events import place_queries as queries
from console.events.details import in_words
from console.events.happenings import TAPS, Happening, has_words, sentence
from console.events.place_queries import PlaceRow
from sync.errors import WireError
from sync.events import EventKind, decode_event

SHOWN = 15
KINDS = tuple(kind for kind in EventKind if has_words(kind))
"""All but what controllers do by themselves."""
WITH_DETAIL = frozenset(
    {
        EventKind.ACCESS_GRANTED,
        EventKind.READER_FAULT,
        EventKind.SELF_TESTED,
        EventKind.STALENESS_CHANGED,
        EventKind.TOOL_RELEASED,
        EventKind.UNLOCK_BEGAN,
    }
)
"""Kinds of which a controller tells more in words."""


class Told(Struct, frozen=True):
    """An event. `account_id` None: nobody we know did it. `why` may be empty.

    `is_tap`: of a card, which has a page that explains it.
    """

    row: PlaceRow
    account_id: int | None
    who: str
    is_yes: bool
    did: str
    why: str
    is_tap: bool = False


async def told_at(
    conn: Connection, point: str, *, is_tool: bool, has_labels: bool = True
) -> Sequence[Told]:
    """What happened there, the newest first. `has_labels`: what people call their cards, too."""
    rows = await queries.happened(conn, point=point, kinds=KINDS, limit=SHOWN)
    if not has_labels:
        rows = [replace(row, card_label=None) for row in rows]
    return [told(row, is_tool=is_tool) for row in rows]


def told(row: PlaceRow, *, is_tool: bool) -> Told:
    """A row in words."""
    who = row.name or row.username
    happening = Happening(
        row.kind, who, row.reason, row.operation, is_tool=is_tool, was_lost=row.was_lost
    )
    words = sentence(happening, place=None)
    why = words.note or detail(row.kind, row.payload)
    account_id = row.account_id if words.is_person else None
    is_tap = row.kind in TAPS and row.operation is None
    return Told(row, account_id, words.who, words.is_yes, words.did, why, is_tap)


def detail(kind: str, payload: str | None) -> str:
    """What the controller told in words; empty where it told none that can be shown."""
    if kind not in WITH_DETAIL or payload is None:
        return ""
    try:
        told = decode_event(payload.encode()).detail or ""
    except (WireError, UnicodeEncodeError):
        return ""
    # A page is UTF-8, which has no lone surrogates; JSON does.
    return in_words(told.encode("utf-8", "ignore").decode())
