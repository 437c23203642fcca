"""Whom the console listens to, and whom not."""

from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from console.events.ingest import Ingester
from console.events.storing import CommandResult
from console.link.inbound import Inbound
from console.link.outbound import Outbound
from console.web import times
from sync.envelope import CONSOLE, Kind, open_, seal
from sync.events import encode_batch
from sync.ids import BootId, ControllerId, JournalId, Nonce
from sync.messages import NO_VERSION, Report, Request, decode_beacon, encode_report, encode_request
from tests.support import makerspace
from tests.support.controller_stand_in import JournalStandIn
from tests.support.site import RightsSite


@dataclass
class Nobody:
    """Waits for nothing, but remembers what it was told."""

    reports: list[Report] = field(default_factory=list[Report])

    def reported(self, controller: ControllerId, report: Report) -> None:
        self.reports.append(report)

    def answered(self, result: CommandResult) -> None:
        raise AssertionError("no command was given")


REPORT = encode_report(
    Report(
        boot=BootId("bb" * 16),
        journal=JournalId("cc" * 16),
        mono_ms=1000,
        nonce=Nonce("dd" * 16),
        applied=NO_VERSION,
        command_counter=0,
        state={},
    )
)
TOPIC = "p2k16/v1/front-pi/up/report"


class Ear:
    """The console's ear for one message."""

    def __init__(self, site: RightsSite) -> None:
        self.site = site
        self.waiting = Nobody()
        outbound = Outbound(site.broker, "p2k16", site.keys)
        self.inbound = Inbound(
            site.database,
            outbound,
            prefix="p2k16",
            ingester=Ingester(site.database, site.keys, now=times.now),
            publisher=site.publisher(),
            waiting=self.waiting,
            now=times.now,
        )

    async def report(
        self, *, topic: str = TOPIC, seed: bytes = b"", audience: str = CONSOLE, **more: bool
    ) -> bool:
        """Whether a report, sent in this way, was believed and answered."""
        data = seal(Kind.REPORT, audience, REPORT, seed=seed or self.site.bundle.private_key)
        await self.inbound.hear(topic, data, more.get("retained", False))
        assert bool(self.waiting.reports) == bool(self.site.broker.messages)
        return bool(self.waiting.reports)


@pytest.fixture
async def ear(rights_site: RightsSite) -> Ear:
    return Ear(rights_site)


async def test_a_report_is_answered_with_its_nonce_and_the_time(ear: Ear):
    assert await ear.report()
    ((topic, data, retained),) = ear.site.broker.messages
    key = ear.site.keys.keyset.beacon_key
    beacon = decode_beacon(open_(data, Kind.BEACON, "front-pi", public_key=key))
    assert (topic, retained) == ("p2k16/v1/front-pi/down/beacon", False)
    assert beacon.nonce == "dd" * 16
    assert abs(beacon.time_ms - times.now().timestamp() * 1000) < 5000


async def test_a_retained_report_may_be_of_yesterday(ear: Ear):
    assert not await ear.report(retained=True)


@pytest.mark.parametrize(
    "topic",
    [
        "p2k16/v1/back-pi/up/report",
        "p2k16/v1/nobody/up/report",
        "p2k16/v1/front-pi/up/hello",
        "p2k16/v1/front-pi/up/presence",
        "p2k16/v1/front-pi/down/beacon",
        "p2k16/v1/Front Pi/up/report",
        "other/v1/front-pi/up/report",
        "",
    ],
)
async def test_a_message_counts_only_under_its_own_topic(ear: Ear, topic: str):
    await makerspace.controller(ear.site.connection, key="back-pi")
    assert not await ear.report(topic=topic)


async def test_another_signature_or_audience_is_refused_by_name_in_the_log(ear: Ear):
    with capture_logs() as lines:
        assert not await ear.report(seed=b"\x01" * 32)
        assert not await ear.report(audience="front-pi")
    assert [(line["event"], line["reason"]) for line in lines] == [
        ("message.refused", "bad_signature"),
        ("message.refused", "wrong_audience"),
    ]


async def test_a_controller_in_quarantine_is_not_heard(ear: Ear):
    await ear.site.change(
        "update access.controller set quarantined_at = now(), quarantine_reason = 'x'"
    )
    with capture_logs() as lines:
        assert not await ear.report()
    assert lines[0]["reason"] == "in quarantine"


async def test_many_requests_are_one_answer(ear: Ear):
    await ear.site.publisher().publish_changes()
    ear.site.broker.messages.clear()
    payload = encode_request(Request(BootId("bb" * 16), NO_VERSION))
    data = seal(Kind.REQUEST, CONSOLE, payload, seed=ear.site.bundle.private_key)
    for _ in range(20):
        await ear.inbound.hear("p2k16/v1/front-pi/up/request", data, False)
    assert [topic.rpartition("/")[2] for topic, _, _ in ear.site.broker.messages] == [
        "keys",
        "snapshot",
    ]


async def test_nothing_is_acknowledged_that_is_not_stored(ear: Ear):
    journal = JournalStandIn(ear.site.bundle.controller, ear.site.bundle.entry_key)
    journal.started()
    data = seal(
        Kind.EVENTS,
        CONSOLE,
        encode_batch(journal.batch()),
        seed=ear.site.bundle.private_key,
    )
    await ear.site.change("alter table access.event rename to event_gone")
    with pytest.raises(Exception, match="event"):
        await ear.inbound.hear("p2k16/v1/front-pi/up/events", data, False)
    assert ear.site.broker.messages == []
    await ear.site.change("alter table access.event_gone rename to event")
    await ear.inbound.hear("p2k16/v1/front-pi/up/events", data, False)
    assert [topic for topic, _, _ in ear.site.broker.messages] == ["p2k16/v1/front-pi/down/ack"]
