"""What a tool may be called, who may take it, who may give it back. Pure.

Source: the contract of the old API, §7. What is refused is a value; the adapter words it.
"""

from datetime import datetime

from msgspec import Struct

from console.rights.access import Answer
from sync.rights import Reason

NAME_CHARACTERS_MAX = 50


class Holder(Struct, frozen=True):
    """Who has a tool checked out. `started` None: not written down."""

    account_id: int
    username: str
    started: datetime | None


class Tool(Struct, frozen=True):
    """What the rules need of a tool. `circle` None: it serves nobody. `holder` None: it is free."""

    id: int
    name: str
    circle: str | None
    holder: Holder | None


class NoSuchTool(Struct, frozen=True):
    """There is none with this number."""


class NotInCircle(Struct, frozen=True):
    """Not in the tool's circle. None: it has none."""

    circle: str | None


class NoMember(Struct, frozen=True):
    """Neither paying nor employed."""


class NeedsBetterCard(Struct, frozen=True):
    """It is released by cards that are hard to copy only."""


class HasIt(Struct, frozen=True):
    """She has it already."""


class NobodyHasIt(Struct, frozen=True):
    """It isn't checked out."""


class SomebodyElseHasIt(Struct, frozen=True):
    """It is another's to give back."""

    tool: Tool
    holder: Holder


class Seen(Struct, frozen=True):
    """Who had the tool on the page on which somebody pressed. `holder_id` None: nobody."""

    holder_id: int | None


class Takes(Struct, frozen=True):
    """Yes. `from_whom` None: it is free."""

    from_whom: Holder | None


class Returns(Struct, frozen=True):
    """Yes."""


Taking = Takes | NotInCircle | NoMember | NeedsBetterCard | HasIt | SomebodyElseHasIt
Returning = Returns | NobodyHasIt | SomebodyElseHasIt


def taking(tool: Tool, answer: Answer, *, actor: int, seen: Seen | None = None) -> Taking:
    """Whether she may take the tool, also from whoever has it; `answer` is the rule's.

    `seen`: only from whom she saw to have it. None: from anybody, as in the old web app.
    """
    if not answer.is_in_circle:
        return NotInCircle(tool.circle)
    if answer.decision.reason is Reason.ASSURANCE_TOO_LOW:
        return NeedsBetterCard()
    if not answer.decision.is_allowed:
        return NoMember()
    if tool.holder is not None and tool.holder.account_id == actor:
        return HasIt()
    if tool.holder is not None and _is_another(tool.holder, seen):
        return SomebodyElseHasIt(tool, tool.holder)
    return Takes(tool.holder)


def returning(
    tool: Tool, answer: Answer, *, actor: int, is_admin: bool, seen: Seen | None = None
) -> Returning:
    """Whether she may give the tool back: who has it, whoever may use it, and admins.

    `seen`: as for `taking`.
    """
    if tool.holder is None:
        return NobodyHasIt()
    if _is_another(tool.holder, seen):
        return SomebodyElseHasIt(tool, tool.holder)
    if tool.holder.account_id == actor or is_admin or answer.decision.is_allowed:
        return Returns()
    return SomebodyElseHasIt(tool, tool.holder)


def _is_another(holder: Holder, seen: Seen | None) -> bool:
    return seen is not None and holder.account_id != seen.holder_id


def is_name(text: str) -> bool:
    """Whether a tool may be called so: the name is a part of its topic, where `/` may stand."""
    return len(text) <= NAME_CHARACTERS_MAX and text.isprintable() and not set(text) & set("+#")


def topic(prefix: str, name: str, action: str) -> str | None:
    """Where a tool hears that it is to lock or unlock; None: with this name it can't hear."""
    return f"{prefix}/{name}/{action}" if is_name(name) else None
