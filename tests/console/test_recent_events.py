"""The list of what happened lately, in words."""

import uuid
from datetime import UTC, datetime

import pytest

from console.database import Connection
from console.events.at_place import told
from console.events.happenings import Happening, has_words, sentence
from console.events.place_queries import PlaceRow
from console.events.recent import Line, recent_days
from console.events.wording import UNKNOWN_CARD, WORDING, Whose, wording
from console.web.routing import Who
from sync.events import EventKind
from sync.rights import Reason
from tests.support import makerspace
from tests.support.recorded import event


async def lines(connection: Connection, audience: Who = Who.ADMIN) -> list[Line]:
    return [line for day in await recent_days(connection, audience) for line in day.lines]


@pytest.fixture
async def kari(connection: Connection) -> int:
    await makerspace.controller(connection)
    await makerspace.door(connection)
    return await makerspace.account(connection, username="kari", name="Kari Nordmann")


def test_every_reason_has_words() -> None:
    assert set(WORDING) == set(Reason)
    for reason in Reason:
        words = wording(reason, Whose.NOBODYS)
        assert words.why
        assert not words.why.endswith("."), "it is put into sentences"
        assert not words.remedy or words.remedy.endswith(".")
        assert reason is Reason.ALLOWED or reason.value not in words.why


def test_a_card_that_the_console_knows_but_the_controller_does_not_is_no_unknown_card() -> None:
    assert wording("unknown_card", Whose.NOBODYS) == WORDING[Reason.UNKNOWN_CARD]
    assert wording("unknown_card", Whose.SOMEBODYS) == UNKNOWN_CARD[Whose.SOMEBODYS]
    assert wording("unknown_card", Whose.LOST).why == "this card is marked lost"


def test_a_reason_of_a_newer_controller_is_shown_as_it_is() -> None:
    assert "solar_flare" in wording("solar_flare", Whose.NOBODYS).why
    assert wording(None, Whose.NOBODYS).why


async def test_events_stand_in_the_order_in_which_they_happened(
    connection: Connection, kari: int
) -> None:
    for seconds_ago in (10, 3000, 200):
        await event(connection, account=kari, seconds_ago=seconds_ago)
    found = [line.at for line in await lines(connection)]
    assert found == sorted(found, reverse=True)


async def test_without_a_trusted_clock_the_arrival_counts_and_is_said(
    connection: Connection, kari: int
) -> None:
    await event(connection, account=kari, seconds_ago=60)
    await event(connection, account=kari, seconds_ago=0, clock_trusted=False)
    newest, older = await lines(connection)
    assert (newest.is_late, older.is_late) == (True, False)


async def test_a_remote_opening_names_who_pressed_the_button(
    connection: Connection, kari: int
) -> None:
    command = uuid.uuid4()
    await connection.execute(
        """
        insert into access.command (id, controller, point, operation, actor, counter)
        values (%s, 'front-pi', 'front', 'open', %s, 1)
        """,
        [command, kari],
    )
    await event(connection, kind="command_executed")
    await connection.execute("update access.event set command = %s", [command])
    (line,) = await lines(connection, Who.MEMBER)
    assert (line.who, line.did) == ("Kari Nordmann", "opened Front door from the console")


async def test_what_is_gone_from_the_tables_is_still_told(connection: Connection) -> None:
    await makerspace.controller(connection)
    await event(connection, account=987654, point="back")
    await event(connection, kind="access_denied", reason="unknown_card", point="back")
    denied, opened = await lines(connection)
    assert (opened.who, opened.did) == ("Somebody", "opened back")
    assert (denied.who, denied.did) == ("An unknown card", "was refused at back")
    assert denied.note == "Nobody had this card. Unknown cards are assigned under Cards."


async def test_a_recorded_grant_that_moved_no_relay_is_no_opening(
    connection: Connection, kari: int
) -> None:
    await event(connection, kind="access_withdrawn", reason="relay_fault", account=kari)
    assert await lines(connection, Who.MEMBER) == []
    (line,) = await lines(connection)
    assert not line.is_yes
    assert "did not open" in line.did
    assert "relay" in line.note


async def ordered(connection: Connection, operation: str, actor: int) -> None:
    command = uuid.uuid4()
    await connection.execute(
        """
        insert into access.command (id, controller, point, operation, actor, counter)
        select %s, 'front-pi', 'front', %s, %s, count(*) + 1 from access.command
        """,
        [command, operation, actor],
    )
    number = await event(connection, kind="command_executed", account=actor)
    await connection.execute(
        "update access.event set command = %s where id = %s", [command, number]
    )


@pytest.mark.parametrize(
    ("operation", "did"),
    [
        ("open", "opened Front door from the console"),
        ("lock", "set Front door back to normal from the console"),
        ("unlock_until", "unlocked Front door for everybody from the console"),
        ("lockdown", "locked Front door down from the console"),
        ("out_of_service", "took Front door out of service from the console"),
        ("stop_now", "stopped Front door at once from the console"),
        ("sing", "gave Front door an order from the console"),
    ],
)
async def test_an_order_is_told_as_what_it_was(
    connection: Connection, kari: int, operation: str, did: str
) -> None:
    await ordered(connection, operation, kari)
    (line,) = await lines(connection, Who.MEMBER)
    assert (line.who, line.did) == ("Kari Nordmann", did)


@pytest.mark.parametrize("kind", ["command_refused", "access_withdrawn"])
@pytest.mark.parametrize(
    ("operation", "reason", "did"),
    [
        ("lockdown", "storage_slow", "locked Front door down from the console"),
        ("out_of_service", "journal_full", "took Front door out of service from the console"),
        ("stop_now", "storage_fault", "stopped Front door at once from the console"),
        ("unlock_until", "storage_slow", "could not unlock Front door for everybody from the"),
        ("open", "relay_fault", "could not open Front door from the console"),
        ("lockdown", "no_right", "could not lock Front door down from the console"),
    ],
)
def test_an_order_that_could_not_be_recorded_is_in_force_if_it_shuts_and_is_nobodys_tap(
    kind: str, operation: str, reason: str, did: str
) -> None:
    told = sentence(Happening(kind, "Kari", reason, operation), "Front door")
    assert told.did.startswith(did)
    assert not told.is_yes
    is_in_force = not did.startswith("could not")
    assert ("It is in force" in told.note, "Try again" in told.note) == (
        is_in_force,
        not is_in_force and reason == "storage_slow",
    )


def test_every_kind_of_event_has_words_or_is_what_controllers_do_by_themselves() -> None:
    assert {kind for kind in EventKind if not has_words(kind)} == {
        EventKind.CONTROLLER_STARTED,
        EventKind.SNAPSHOT_APPLIED,
        EventKind.MESSAGE_REFUSED,
        EventKind.CLOCK_STEPPED,
    }
    for kind in EventKind:
        for place in ("Front door", None):
            told = sentence(Happening(kind, "Kari", None), place)
            assert told.who
            assert "{" not in told.did


@pytest.mark.parametrize(
    ("kind", "who", "did", "is_yes"),
    [
        ("door_forced", "Front door", "was forced open", False),
        ("door_held_open", "Front door", "has stood open for too long", False),
        ("tamper_began", "Front door", "had its housing opened", False),
        ("unlock_began", "Front door", "stands unlocked for everybody", True),
        ("unlock_ended", "Front door", "is locked again", True),
    ],
)
async def test_what_a_door_does_is_told_of_the_door(
    connection: Connection, kari: int, kind: str, who: str, did: str, is_yes: bool
) -> None:
    await event(connection, kind=kind, account=kari)
    (line,) = await lines(connection)
    assert (line.who, line.did, line.is_yes, line.account_id) == (who, did, is_yes, None)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ('{"detail": "fresh to soft"}', "It has not heard from here for too long."),
        ('{"detail": "\\ud800so\\u0000"}', "So\0."),
        ('{"detail": ""}', ""),
        ("{}", ""),
        ('{"detail": 3}', ""),
        ("no JSON", ""),
        (None, ""),
    ],
)
def test_what_a_controller_tells_in_words_is_shown_with_the_event(
    payload: str | None, why: str
) -> None:
    stamp = '"seq":1,"boot":"' + "cd" * 16 + '","mono_ms":1,"time_ms":1,"clock":"trusted",'
    stamp += '"wall_ms":1,"previous":"' + "00" * 32 + '","kind":"staleness_changed"'
    if payload is not None and payload.startswith("{"):
        payload = payload.replace("{", "{" + stamp + ("," if len(payload) > 2 else ""), 1)
    row = PlaceRow(
        *(1, "staleness_changed", datetime.now(UTC), True, None, None, None, None, None, None),
        False,
        payload,
    )
    assert told(row, is_tool=False).why == why


async def test_a_card_that_was_lost_by_then_is_called_so(connection: Connection, kari: int) -> None:
    lost = await makerspace.card(connection, account=kari, lost=True)
    for seconds_ago in (0, 90_000_000):
        await event(
            connection,
            kind="access_denied",
            reason="unknown_card",
            account=kari,
            card=lost,
            seconds_ago=seconds_ago,
        )
    after, before = await lines(connection)
    assert after.note.startswith("This card is marked lost.")
    assert before.note.startswith("Has no right here.")


async def test_alarms_are_for_admins(connection: Connection, kari: int) -> None:
    for kind in ("door_forced", "tamper_began", "fault_began", "access_denied"):
        await event(connection, kind=kind, account=kari)
    assert await lines(connection, Who.MEMBER) == []
    assert len(await lines(connection)) == 4


async def test_a_tool_is_switched_on_and_not_opened(connection: Connection, kari: int) -> None:
    laser = await makerspace.tool(connection, name="Laser")
    await makerspace.tool_point(connection, tool=laser)
    await event(connection, point="laser", account=kari)
    await event(connection, kind="tool_released", point="laser", account=kari, seconds_ago=5)
    done, began = await lines(connection, Who.MEMBER)
    assert (began.who, began.did) == ("Kari Nordmann", "switched Laser on")
    assert (done.who, done.did) == ("Kari Nordmann", "is done with Laser")
    assert done.account_id == kari


@pytest.mark.parametrize("kind", ["controller_started", "snapshot_applied", "message_refused"])
async def test_what_controllers_do_by_themselves_is_not_in_the_list(
    connection: Connection, kari: int, kind: str
) -> None:
    del kari
    await event(connection, kind=kind)
    assert await lines(connection) == []
