"""What pages say about why a tap was answered as it was: one table, keyed by the rule's reasons.

`why` completes a sentence like "Kari was refused at Front door: …"; `remedy` says who or what
changes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sync.rights import Reason


@dataclass(frozen=True, slots=True)
class Wording:
    """A reason in plain words. `remedy` is empty where there is none to give."""

    why: str
    remedy: str = ""


_OPERATOR = "Somebody who looks after the controllers should see its page."

WORDING: Mapping[Reason, Wording] = MappingProxyType(
    {
        Reason.ALLOWED: Wording("opened"),
        Reason.NO_SNAPSHOT: Wording("the controller has no rights yet", _OPERATOR),
        Reason.UNKNOWN_POINT: Wording(
            "the controller doesn't know this door", "Add the door to this controller."
        ),
        Reason.UNKNOWN_CARD: Wording("nobody has this card", "Assign it under Cards."),
        Reason.NO_RIGHT: Wording(
            "this card doesn't open this door", "A payment or one of the door's circles is missing."
        ),
        Reason.ASSURANCE_TOO_LOW: Wording(
            "the card is of a kind that is too easy to copy for this door",
            "Use a card that proves itself.",
        ),
        Reason.NOT_YET_VALID: Wording("the right begins later"),
        Reason.EXPIRED: Wording("the membership has ended", "A payment opens it within a second."),
        Reason.CLOCK_UNTRUSTED: Wording(
            "the controller doesn't know what time it is, and this right depends on the hour",
            "It knows again once it reaches the console.",
        ),
        Reason.OUTSIDE_SCHEDULE: Wording("outside the hours of this right"),
        Reason.STORAGE_FAULT: Wording("the controller can't write to its storage", _OPERATOR),
        Reason.STORAGE_SLOW: Wording("the controller's storage was too slow", "Try again."),
        Reason.JOURNAL_FULL: Wording(
            "the controller's journal is full", "It empties once it reaches the console."
        ),
        Reason.RELAY_FAULT: Wording("the relay did not move", _OPERATOR),
        Reason.RANDOM_UID: Wording(
            "the card shows another number each time, as phones and passports do",
            "Use a card or fob with a number of its own.",
        ),
        Reason.INTERNAL_ERROR: Wording("a fault in the controller", _OPERATOR),
        Reason.NOT_FRESH: Wording(
            "this needs rights of today, and the controller has not heard from here for too long",
            "It works again once the controller reaches the console.",
        ),
        Reason.TOO_STALE: Wording(
            "the controller has not heard from here for so long that it lets nobody in any more",
            "It works again once the controller reaches the console.",
        ),
        Reason.THROTTLED: Wording(
            "too many cards were refused here just before", "Wait a minute, then try again."
        ),
        Reason.LOCKED_DOWN: Wording("locked down", "An admin ends it under Doors."),
        Reason.OUT_OF_SERVICE: Wording("out of service", "An admin ends it under Doors."),
        Reason.TAMPERED: Wording(
            "its housing was opened", "Look at it, close it, and lock it anew under Doors."
        ),
        Reason.RELAY_WELDED: Wording("the relay does not let go", _OPERATOR),
        Reason.RELAY_STUCK: Wording("the relay was told to move and did not", _OPERATOR),
        Reason.IN_USE: Wording("somebody else is using it"),
        Reason.EMERGENCY_STOPPED: Wording(
            "its emergency stop is pressed", "Release it, then tap again."
        ),
    }
)

OF_A_KNOWN_PERSON = Wording(
    "has no right to open this door", "A payment or one of the door's circles is missing."
)
"""For `unknown_card` once the console knows whose card it is: a controller holds no cards that open
nothing, so to it such a card is unknown."""


def sentences(reason: str | None, *, is_known_person: bool) -> str:
    """Why, and what changes it: one sentence, or two."""
    words = wording(reason, is_known_person=is_known_person)
    return f"{words.why[:1].upper()}{words.why[1:]}. {words.remedy}".strip()


def wording(reason: str | None, *, is_known_person: bool) -> Wording:
    """The words for a reason; for one that this software doesn't know, the reason itself."""
    if reason is None:
        return Wording("no reason was given")
    try:
        known = Reason(reason)
    except ValueError:
        return Wording(f"reason “{reason}”")
    if is_known_person and known is Reason.UNKNOWN_CARD:
        return OF_A_KNOWN_PERSON
    return WORDING[known]
