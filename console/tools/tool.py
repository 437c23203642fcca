"""What a tool may be called, who may take it, who may give it back. Pure.

Source: the contract of the old API, §7. What is refused is a value; the adapter words it.
"""

from dataclasses import dataclass
from datetime import datetime

from console.rights.access import Answer
from sync.rights import Reason

NAME_CHARACTERS_MAX = 50


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a tool checked out. `started` None: not written down."""

    account_id: int
    username: str
    started: datetime | None


@dataclass(frozen=True, slots=True)
class Tool:
    """What the rules need of a tool. `circle` None: it serves nobody. `holder` None: it is free."""

    id: int
    name: str
    circle: str | None
    holder: Holder | None


@dataclass(frozen=True, slots=True)
class NoSuchTool:
    """There is none with this number."""


@dataclass(frozen=True, slots=True)
class NotInCircle:
    """Not in the tool's circle. None: it has none."""

    circle: str | None


@dataclass(frozen=True, slots=True)
class NoMember:
    """Neither paying nor employed."""


@dataclass(frozen=True, slots=True)
class NeedsBetterCard:
    """It is released by cards that are hard to copy only."""


@dataclass(frozen=True, slots=True)
class HasIt:
    """She has it already."""


@dataclass(frozen=True, slots=True)
class NobodyHasIt:
    """It isn't checked out."""


@dataclass(frozen=True, slots=True)
class SomebodyElseHasIt:
    """It is another's to give back."""

    tool: Tool
    holder: Holder


@dataclass(frozen=True, slots=True)
class Seen:
    """Who had the tool on the page on which somebody pressed. `holder_id` None: nobody."""

    holder_id: int | None


@dataclass(frozen=True, slots=True)
class Takes:
    """Yes. `from_whom` None: it is free."""

    from_whom: Holder | None


@dataclass(frozen=True, slots=True)
class Returns:
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
