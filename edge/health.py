"""What a controller says about itself: one document for the status command and for the report.

It tells what is, not what was asked for: a relay is on if the guard said so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge import VERSION
from edge.board import Board
from edge.clock import Timekeeper
from edge.conversation import Conversation
from edge.enrolment import Enrolment
from edge.entrance import Entrance
from edge.journal import Journal
from edge.listening import Listening
from edge.post import Post
from edge.readers.trouble import WORDS, ReaderState
from edge.recorder import Recorder
from edge.refusals import Refusals
from edge.rights_cache import RightsCache
from edge.rounds import Rounds
from edge.store import Store
from sync.ids import PointKey
from sync.messages import NO_VERSION
from sync.rights import Reason, Staleness

COMMIT_P99_MS_MAX = 500
"""A tap waits for 250 ms only."""

LINK = "link"
"""The word for a way to the broker that the settings forbid."""

NO_OPENINGS: Mapping[str, object] = {"unrecorded": 0, "openings": []}

_WORDS = {
    Reason.RELAY_FAULT: "no relay guard",
    Reason.RELAY_WELDED: "the relay doesn't let go; look at it, then lock the point anew",
    Reason.RELAY_STUCK: "the relay was told to come on and didn't",
}


@dataclass(frozen=True, slots=True)
class Inside:
    """What there is once the controller is enrolled. `conversation` None: it is forbidden."""

    store: Store
    journal: Journal
    rights: RightsCache
    recorder: Recorder
    rounds: Rounds
    refusals: Refusals
    conversation: Conversation | None
    listenings: Mapping[PointKey, Listening]
    entrances: Mapping[PointKey, Entrance]


@dataclass(slots=True)
class Health:
    """Where to look. `troubles`: word → what a person should know. None: not there yet."""

    timekeeper: Timekeeper
    posts: Mapping[PointKey, Post]
    enrolment: Enrolment
    board: Board
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
        bundle, condition = self.enrolment.bundle, self.board.condition()
        return {
            "controller": bundle.controller if bundle else None,
            "boot": self.timekeeper.boot,
            "software": VERSION,
            "points": {point: self._point(point) for point in self.posts},
            "applied": {
                "epoch": version.epoch,
                "serial": version.serial,
                "digest": version.digest.hex() if version.digest else None,
            },
            "journal": {
                "id": position.journal if position else None,
                "head": position.head if position else 0,
                "acknowledged": position.acknowledged if position else 0,
                "fill_percent": inside.journal.fill_percent if inside else 0,
                "unrecorded": position.unrecorded if position else 0,
            },
            "link": "up" if conversation and conversation.is_up else "down",
            "link_trouble": self.link_trouble,
            "clock": {
                "trusted": instant.moment.is_trusted,
                "time_ms": instant.moment.now_ms,
                "wall_offset_ms": instant.wall_ms - instant.moment.now_ms,
            },
            "age_ms": instant.moment.age_ms,
            "temperature_c": condition.temperature_c,
            "undervoltage": condition.undervoltage,
            "storage": {"commit_p99_ms": inside.store.commit_p99_ms if inside else None},
            "faults": self.faults(),
            "last_error": inside.refusals.last if inside else None,
            "break_glass": inside.recorder.openings() if inside else NO_OPENINGS,
        }

    def faults(self) -> list[str]:
        """What doesn't work, each as `word: what a person should know`."""
        found = [f"{word}: {text}" for word, text in self.troubles.items()]
        if self.enrolment.problem:
            found.append(f"enrolment: {self.enrolment.problem}")
        found += [
            f"{fault}: {point}: {_WORDS[fault]}"
            for point, post in self.posts.items()
            for fault in sorted(post.faults & _WORDS.keys())
        ]
        found += self.board.condition().faults()
        return found + (_faults_of(self.inside) if self.inside else [])

    @property
    def link_trouble(self) -> str | None:
        """Why there is no link. None: there is one, none was tried yet, or nobody is enrolled."""
        conversation = self.inside.conversation if self.inside else None
        return conversation.trouble if conversation else self.troubles.get(LINK)

    def in_a_line(self) -> str:
        """What `systemctl status` shows."""
        if self.inside is None or self.faults():
            return "; ".join(self.faults()) or "starting"
        conversation = self.inside.conversation
        points = [f"{point} {post.status()['state']}" for point, post in self.posts.items()]
        link = f"link {'up' if conversation and conversation.is_up else 'down'}"
        trouble = f" ({self.link_trouble})" if self.link_trouble else ""
        return ", ".join([*points, link + trouble])

    def _point(self, point: PointKey) -> dict[str, object]:
        inside = self.inside
        level = inside.rounds.level(point) if inside else Staleness.HARD
        return {
            **self.posts[point].status(),
            "reader": inside.listenings[point].state if inside else ReaderState.LOST,
            "staleness": level,
        }


def _faults_of(inside: Inside) -> list[str]:
    found: list[str] = []
    if inside.store.fault:
        found.append(f"{Reason.STORAGE_FAULT}: can't record: {inside.store.fault}")
    if inside.store.set_aside:
        found.append(
            f"store_set_aside: {', '.join(path.name for path in inside.store.set_aside)}: "
            "look into it, then move it elsewhere; nothing deletes it"
        )
    slowest_ms = inside.store.commit_p99_ms
    if slowest_ms is not None and slowest_ms > COMMIT_P99_MS_MAX:
        found.append(
            f"{Reason.STORAGE_SLOW}: commits take up to {slowest_ms} ms: a worn out SD card?"
        )
    if inside.journal.fill_percent == 100:
        found.append(
            f"{Reason.JOURNAL_FULL}: {inside.journal.position.waiting} events wait for the "
            "console; denials are only counted until it has taken them"
        )
    if inside.recorder.unrecorded:
        found.append(f"unrecorded: {inside.recorder.unrecorded} answers wait to be recorded")
    if inside.rights.are_lost:
        found.append("rights_lost: the rights on disk are damaged; waiting for the console")
    for point, listening in inside.listenings.items():
        if listening.state is not ReaderState.OPEN:
            found.append(f"reader_lost: {point}: {WORDS[listening.state]}")
        if listening.is_garbled:
            found.append(f"reader_fault: {point}: much of what it sends is no card's frame")
    return found
