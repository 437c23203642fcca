"""What a controller says about itself: one document for the status command and for the report.

It tells what is, not what was asked for: a relay is on if the guard said so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge import VERSION
from edge.clock import Timekeeper
from edge.conversation import Conversation
from edge.doorway import Doorway
from edge.enrolment import Enrolment
from edge.journal import Journal
from edge.outside import Reads
from edge.port import PortState
from edge.refusals import Refusals
from edge.rights_cache import RightsCache
from edge.store import Store
from sync.ids import PointKey
from sync.messages import NO_VERSION
from sync.rights import Reason


@dataclass(frozen=True, slots=True)
class Inside:
    """What there is once the controller is enrolled. `conversation` None: it is forbidden."""

    store: Store
    journal: Journal
    rights: RightsCache
    refusals: Refusals
    conversation: Conversation | None
    ports: Mapping[PointKey, Reads]


@dataclass(slots=True)
class Health:
    """Where to look. `troubles`: word → what a person should know. None: not there yet."""

    timekeeper: Timekeeper
    doorways: Mapping[PointKey, Doorway]
    enrolment: Enrolment
    troubles: dict[str, str] = field(default_factory=dict[str, str])
    store: Store | None = None
    inside: Inside | None = None

    def state(self) -> dict[str, object]:
        """What `p2k16-edge status --json` prints. Before the first snapshot `applied` is 0, 0."""
        inside = self.inside
        version = inside.rights.active().version if inside else NO_VERSION
        position = inside.journal.position if inside else None
        conversation = inside.conversation if inside else None
        instant = self.timekeeper.now()
        bundle = self.enrolment.bundle
        return {
            "controller": bundle.controller if bundle else None,
            "boot": self.timekeeper.boot,
            "software": VERSION,
            "points": {point: self._point(point) for point in self.doorways},
            "applied": {"epoch": version.epoch, "serial": version.serial},
            "journal": {
                "id": position.journal if position else None,
                "head": position.head if position else 0,
                "acknowledged": position.acknowledged if position else 0,
            },
            "link": "up" if conversation and conversation.is_up else "down",
            "clock": {
                "trusted": instant.moment.is_trusted,
                "time_ms": instant.moment.now_ms,
                "wall_offset_ms": instant.wall_ms - instant.moment.now_ms,
            },
            "faults": self.faults(),
            "last_error": inside.refusals.last if inside else None,
        }

    def faults(self) -> list[str]:
        """What doesn't work, each as `word: what a person should know`."""
        found = [f"{word}: {text}" for word, text in self.troubles.items()]
        if self.enrolment.problem:
            found.append(f"enrolment: {self.enrolment.problem}")
        for point, doorway in self.doorways.items():
            if Reason.RELAY_FAULT in doorway.faults:
                found.append(f"{Reason.RELAY_FAULT}: {point}: no relay guard")
        return found + (_faults_of(self.inside) if self.inside else [])

    def in_a_line(self) -> str:
        """What `systemctl status` shows."""
        if self.inside is None or self.faults():
            return "; ".join(self.faults()) or "starting"
        conversation = self.inside.conversation
        doors = [f"{point} {doorway.state}" for point, doorway in self.doorways.items()]
        return ", ".join(
            [*doors, f"link {'up' if conversation and conversation.is_up else 'down'}"]
        )

    def _point(self, point: PointKey) -> dict[str, object]:
        doorway = self.doorways[point]
        is_open = self.inside and self.inside.ports[point].state is PortState.OPEN
        return {
            "relay": "on" if doorway.is_relay_on else "off",
            "state": doorway.state,
            "light": doorway.colour,
            "reader": "open" if is_open else "lost",
        }


def _faults_of(inside: Inside) -> list[str]:
    found: list[str] = []
    if inside.store.fault:
        found.append(f"{Reason.STORAGE_FAULT}: can't record: {inside.store.fault}")
    if inside.rights.are_lost:
        found.append("rights_lost: the rights on disk are damaged; waiting for the console")
    for point, port in inside.ports.items():
        if port.state is PortState.LOST:
            found.append(f"reader_lost: {point}: its port is missing or taken")
    return found
