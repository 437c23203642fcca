"""What every point offers, be it a door or a tool: the entrance and the commands ask no more.

Whether anybody may is decided before; what a grant does is the point's own affair: edge/doorway.py,
edge/workbench.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from edge.lease import GrantId
from sync.credential import Credential
from sync.ids import Entry, MemberRef, PointKey
from sync.rights import Reason


class Cause(StrEnum):
    """Why somebody gets in."""

    TAP = "tap"
    COMMAND = "command"
    BREAK_GLASS = "break_glass"
    """A tap of a break-glass card while the store can't record it."""


class Hold(StrEnum):
    """An order that stands until another one ends it, over a restart too."""

    LOCKDOWN = "lockdown"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class Grant:
    """A yes that is recorded. `failed` is called later if the relay never came on in spite of it.

    `seconds`: for how long, at a door; a tool knows itself how long its sessions may be. `member`,
    `credential` and `entry` None: it is no card's.
    """

    id: GrantId
    seconds: float
    cause: Cause
    failed: Callable[[], None] = field(repr=False)
    member: MemberRef | None = None
    credential: Credential | None = None
    entry: Entry | None = None


class Post(Protocol):
    """A point as it stands here."""

    @property
    def point(self) -> PointKey:
        """Which one."""
        ...

    @property
    def faults(self) -> frozenset[Reason]:
        """All that is wrong."""
        ...

    @property
    def fault(self) -> Reason | None:
        """Why nobody gets in, whatever the rights say; None: nothing is wrong."""
        ...

    @property
    def refusal(self) -> Reason | None:
        """Why a card would be denied now, whoever's it is; None: the rights decide."""
        ...

    @property
    def grant(self) -> Grant | None:
        """What it is in use by; None: nobody has it."""
        ...

    @property
    def opens_unrecorded(self) -> bool:
        """Whether a break-glass card could open it, while nothing can be recorded."""
        ...

    def seen(self, credential: Credential) -> None:
        """A card lies on the reader: its frame was read once more, or for the first time."""
        ...

    def tapped(self) -> Reason | None:
        """A card was presented. None: decide; otherwise deny for this reason, the `refusal`."""
        ...

    def may_take(self, member: MemberRef) -> Reason | None:
        """Whether her grant could be used now; a reason: somebody else has the point."""
        ...

    def hands_back(self, member: MemberRef) -> bool:
        """Whether a tap of hers gives the point back instead of asking for it."""
        ...

    def hand_back(self) -> None:
        """It was such a tap."""
        ...

    def release(self, grant: Grant) -> Reason | None:
        """Lets somebody in. The first lease is out when this returns. A reason: it can't be."""
        ...

    def denied(self) -> None:
        """A tap was denied."""
        ...

    def hold(self, hold: Hold, *, at_once: bool = False) -> None:
        """Nobody gets in until `restore`. `at_once`: a tool that runs is stopped, too."""
        ...

    def restore(self) -> None:
        """Back to normal: ends a hold, and acknowledges alarms."""
        ...

    def set_stale(self, *, is_stale: bool) -> None:
        """Whether the rights are a day old: the lights tell."""
        ...

    def set_fault(self, fault: Reason, *, is_there: bool) -> None:
        """Something that grants depend on fails, or works again."""
        ...

    def relay_changed(self, is_on: bool | None) -> None:
        """What the guard says of the relay; None: there is no guard."""
        ...

    def status(self) -> dict[str, object]:
        """What a status says of it: kind, state, relay, light, alarms, and what it feels."""
        ...

    def serve(self) -> None:
        """Everything that grants depend on is there: taps may be decided from now on."""
        ...

    def close(self) -> None:
        """Relay and lights off, for good."""
        ...
