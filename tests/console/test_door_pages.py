"""What the pages of doors and controllers say, and to whom."""

import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.controllers import said
from console.controllers.point_state import rights
from console.controllers.reports import OFFLINE_AFTER, take_in
from console.controllers.shown import Shown
from console.controllers.unrecorded import openings
from console.database import Connection
from console.doors import queries
from console.doors.door import DoorView, view
from console.doors.queries import DoorRow
from console.events.wording import UNRECORDED
from sync.commands import SHUTTING, Operation
from sync.credential import entry
from sync.ids import BootId, ControllerId, JournalId, Nonce, SiteDigest
from sync.messages import NO_VERSION, Report
from sync.rights import Reason
from tests.support import console_app, makerspace, recorded
from tests.support.console_app import Site
from tests.support.streams import streaming

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
DIGEST = b"\x05" * 32


def row(**values: Any) -> DoorRow:
    known: dict[str, Any] = {
        "key": "front",
        "name": "Front door",
        "controller": "front-pi",
        "open_seconds": 5,
        "circles": ["door"],
        "enrolled_at": NOW,
        "quarantined_at": None,
        "received_at": NOW - timedelta(seconds=3),
        "report": {
            "applied": {"epoch": 1, "serial": 7, "digest": DIGEST.hex()},
            "state": {"points": {"front": {"relay": "off", "state": "locked"}}},
        },
        "serial": 7,
        "digest": DIGEST,
        "last_opened_at": None,
    }
    return DoorRow(**(known | values))


def shown(**values: Any) -> DoorView:
    return view(row(**values), NOW)


def reported(state: str, relay: str = "off") -> dict[str, Any]:
    return {"state": {"points": {"front": {"relay": relay, "state": state}}}}


@pytest.mark.parametrize(
    ("state", "relay", "words"),
    [
        ("locked", "off", "Locked"),
        ("released", "on", "Unlocked"),
        ("deciding", "on", "Unlocked"),
        ("fault", "off", "Out of order"),
        ("out_of_service", "off", "Out of service"),
    ],
)
def test_a_door_is_what_its_controller_says_it_is(state: str, relay: str, words: str):
    assert shown(report=reported(state, relay)).state.words == words


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"received_at": NOW - OFFLINE_AFTER - timedelta(seconds=1)}, "Offline"),
        ({"received_at": None, "report": None}, "Never heard of"),
        ({"enrolled_at": None}, "No controller yet"),
        ({"quarantined_at": NOW}, "Controller in quarantine"),
        ({"report": {"state": {"points": {}}}}, "Not at its controller"),
        ({"report": {"state": "broken"}}, "Not at its controller"),
        ({"report": reported("locked") | {"state": {"points": {"front": "x"}}}},
         "Not at its controller"),
    ],
)  # fmt: skip
def test_a_door_is_never_called_locked_on_old_or_no_evidence(values: dict[str, Any], words: str):
    assert shown(**values).state.words == words


def test_until_when_a_door_stands_unlocked_is_said_only_while_it_does():
    end = NOW + timedelta(minutes=40)
    assert shown(report=reported("unlocked", "on"), unlocked_until=end).unlocked_until == end
    assert shown(report=reported("locked"), unlocked_until=end).unlocked_until is None
    assert shown(report=reported("unlocked", "on"), unlocked_until=NOW).unlocked_until is None
    too_old = NOW - OFFLINE_AFTER - timedelta(seconds=1)
    offline = shown(report=reported("unlocked"), unlocked_until=end, received_at=too_old)
    assert offline.unlocked_until is None


async def order(conn: Connection, account: int, counter: int, operation: str, **values: Any):
    """An order that was given an hour ago."""
    known = {"result": "executed", "seconds": None} | values
    await conn.execute(
        "insert into access.command (id, controller, point, operation, actor, counter, seconds,"
        " issued_at, result, result_at) values (gen_random_uuid(), 'front-pi', 'front', %s, %s, %s,"
        " %s, now() - interval '1 hour', %s, now() - interval '1 hour')",
        [operation, account, counter, known["seconds"], known["result"]],
    )


async def test_the_latest_order_tells_until_when_a_door_is_unlocked(site: Site):
    conn = site.connection
    kari = await console_app.member(conn, "kari")
    await makerspace.controller(conn)
    await makerspace.door(conn)

    async def left() -> timedelta | None:
        (door,) = await queries.doors(conn)
        return door.unlocked_until and door.unlocked_until - datetime.now(UTC)

    assert await left() is None
    await order(conn, kari, 1, "unlock_until", seconds=3 * 3600)
    await order(conn, kari, 2, "open")
    await order(conn, kari, 3, "lock", result="no_answer")
    told = await left()
    assert told is not None
    assert timedelta(minutes=119) < told <= timedelta(hours=2)
    await conn.execute(
        "insert into access.open_hours (door, weekday, opens_minute, closes_minute)"
        " values ('front', 1, 0, 60)"
    )
    assert await left() is None, "its hours may hold it unlocked for longer"
    await conn.execute("delete from access.open_hours")
    await order(conn, kari, 4, "lock")
    assert await left() is None


BROKEN: list[object] = [None, [], {"faults": 3}, {"faults": [{}, None]}, {"clock": 1}]


@pytest.mark.parametrize("broken", BROKEN)
def test_whatever_a_report_holds_the_page_is_shown(broken: object):
    report = {"state": broken, "applied": broken}
    assert view(row(report=report), NOW).state.words == "Not at its controller"
    assert said.clock(report)[1]
    assert said.journal(report) == ("not told", True)
    assert len(said.troubles(report)) <= 2


def test_what_fails_at_a_controller_is_shown_with_its_doors():
    report = reported("fault")
    report["state"]["faults"] = ["storage_fault: can't record: disk full"]
    assert shown(report=report).troubles == ("Storage fault: can't record: disk full",)


def test_up_to_date_is_equal_digests_and_nothing_else():
    def of_rights(**facts: Any) -> Shown:
        found = shown(**facts).rights
        assert found is not None
        return found

    assert of_rights().words == "Up to date, no. 7"
    assert of_rights(serial=8, digest=b"\x06" * 32).words == "Behind: has no. 7, no. 8 waits"
    assert of_rights(digest=b"\x06" * 32).tone == "bad"
    assert of_rights(report=reported("locked")).words.startswith("Behind: has no rights yet")
    assert rights(enrolled=True, report=None, serial=0, digest=None).words.startswith("No rights")


async def report(connection: Connection, *, state: str = "locked", age: str = "1 second") -> None:
    await connection.execute(
        "insert into access.controller_report values ('front-pi', now() - %s::interval, %s::jsonb)"
        " on conflict (controller) do update"
        " set received_at = excluded.received_at, report = excluded.report",
        [age, json.dumps(reported(state))],
    )
    await connection.execute("select pg_notify('access_report', 'front-pi')")


async def enrol(connection: Connection) -> None:
    await makerspace.controller(connection)
    await makerspace.door(connection)
    await connection.execute(
        "update access.controller set public_key = '', entry_key = '', broker_password_hash = '',"
        " enrolled_at = now()"
    )


async def kari(site: Site, *, pays: bool = True, circle: bool = True) -> int:
    account = await console_app.member(site.connection, "kari", name="Kari Nordmann")
    if pays:
        await makerspace.payment(site.connection, account=account)
    if circle:
        await makerspace.circle_member(site.connection, account=account)
    return account


async def text(site: Site, path: str, username: str = "kari") -> str:
    browser = await site.browser(username)
    answer = await browser.get(path)
    assert answer.status == 200, await answer.text()
    return await answer.text()


async def test_the_front_page_offers_the_doors_that_i_can_open_now(site: Site):
    await kari(site)
    await enrol(site.connection)
    await report(site.connection)
    page = await text(site, "/")
    assert 'action="/doors/front/openings"' in page
    assert "Locked" in page


@pytest.mark.parametrize(
    ("pays", "circle", "why"),
    [
        (False, True, ["No membership. A payment: it works within a second."]),
        (True, False, ["Not in circle “door”. For “door” ask Ola."]),
        (False, False, ["No membership. ", "Not in circle “door”. For “door” ask Ola."]),
    ],
)
async def test_a_door_that_i_can_not_open_says_why_and_whom_to_ask(
    site: Site, pays: bool, circle: bool, why: list[str]
):
    await console_app.admin(site.connection, "ola")
    await kari(site, pays=pays, circle=circle)
    await enrol(site.connection)
    page = await text(site, "/")
    assert "/doors/front/openings" not in page
    assert all(sentence in page for sentence in why)


async def test_of_a_doors_circles_only_hers_are_why_she_can_open_it(site: Site):
    account = await kari(site)
    await console_app.admin(site.connection, "ola")
    lathe = await makerspace.circle(site.connection, name="lathe")
    await enrol(site.connection)
    await site.connection.execute(
        "insert into access.door_circle (door, circle) values ('front', %s)", [lathe]
    )
    page = await text(site, "/doors/front", "ola")
    assert f'<a href="/members/{account}">' in page
    assert "In circle “door”, works until" in page
    assert "“lathe”, member" not in page


async def test_an_admin_sees_who_can_open_a_door_and_why(site: Site):
    await kari(site)
    await console_app.admin(site.connection, "ola")
    employee = await makerspace.account(site.connection, username="emil", name="Emil Ansatt")
    company = await makerspace.company(site.connection)
    await makerspace.employee(site.connection, account=employee, company=company)
    await makerspace.account(site.connection, username="gone", name="Gone Person")
    await enrol(site.connection)
    await report(site.connection, age="2 minutes")
    page = await text(site, "/doors/front", "ola")
    assert "Kari Nordmann" in page
    assert "In circle “door”, works until" in page
    assert "Emil Ansatt" in page
    assert "Works for an active company" in page
    assert "Gone Person" not in page
    assert "Offline" in page
    assert "Front door" in await text(site, "/doors", "ola")


async def test_the_page_of_a_door_says_why_it_stayed_shut(site: Site):
    await kari(site)
    await console_app.admin(site.connection, "ola")
    gone = await makerspace.account(site.connection, username="gone", name="Gone Person")
    fob = await makerspace.card(site.connection, account=gone, label="blue fob")
    await enrol(site.connection)
    await recorded.event(
        site.connection, kind="access_denied", reason="unknown_card", account=gone, card=fob
    )
    await recorded.event(site.connection, kind="access_denied", reason="unknown_card")
    await recorded.event(
        site.connection, kind="command_refused", reason="unknown_point", clock_trusted=False
    )
    plain = re.sub("<[^>]*>", "", await text(site, "/doors/front", "ola"))
    words = " ".join(html.unescape(plain).split())
    assert "Gone Person was refused Has no right here." in words
    assert "is missing. Card “blue fob”." in words
    assert (
        "An unknown card was refused Nobody had this card. Unknown cards are assigned under Cards."
        in words
    )
    assert (
        "Somebody could not give it an order from the console The controller doesn't know" in words
    )
    assert "Time of arrival" in words


@pytest.mark.parametrize(
    ("values", "is_shut"),
    [
        ({"report": reported("lockdown")}, True),
        ({"report": reported("out_of_service")}, True),
        ({"report": reported("fault")}, True),
        ({"report": reported("locked")}, False),
        ({"report": reported("boot")}, False),
        ({"enrolled_at": None}, True),
        ({"report": {"state": {"points": {}}}}, True),
        ({"quarantined_at": NOW}, False),
        ({"received_at": None, "report": None}, False),
        ({"received_at": NOW - OFFLINE_AFTER - timedelta(seconds=1)}, False),
    ],
)
def test_a_door_is_shut_where_it_says_so_or_is_at_no_controller(
    values: dict[str, Any], is_shut: bool
):
    assert shown(**values).is_shut is is_shut


@pytest.mark.parametrize("operation", sorted(set(Operation) - {Operation.OPEN}))
@pytest.mark.parametrize("result", ["executed", *(f"refused:{why}" for why in Reason), None])
async def test_the_latest_order_is_in_force_if_it_was_done_or_shuts_without_being_recorded(
    connection: Connection, operation: Operation, result: str | None
):
    ola = await console_app.admin(connection, "ola")
    await enrol(connection)
    await order(connection, ola, 1, "lock")
    await order(connection, ola, 2, operation, result=result)
    await order(connection, ola, 3, "open")
    (door,) = await queries.doors(connection)
    is_unrecorded = result is not None and result.removeprefix("refused:") in UNRECORDED
    in_force = result == "executed" or (operation in SHUTTING and is_unrecorded)
    assert door.order == (operation if in_force else "lock")


async def test_nobody_is_named_whose_order_is_not_what_holds(site: Site):
    ola, per = [await console_app.admin(site.connection, name) for name in ("ola", "per")]
    await kari(site)
    await enrol(site.connection)
    await order(site.connection, ola, 1, "out_of_service")
    await report(site.connection, state="lockdown")
    assert "by Ola" not in await text(site, "/")
    await order(site.connection, per, 2, "lockdown", result="refused:storage_slow: too slow")
    assert "by Per, <time" in await text(site, "/")


@pytest.mark.parametrize("operation", ["lockdown", "out_of_service"])
async def test_a_door_that_is_shut_says_by_whom_and_nobody_is_told_that_she_can_open_it_now(
    site: Site, operation: str
):
    ola = await console_app.admin(site.connection, "ola")
    account = await kari(site)
    await enrol(site.connection)
    await order(site.connection, ola, 1, operation)
    await order(site.connection, ola, 2, "open")
    words = {"lockdown": "Locked down", "out_of_service": "Out of service"}[operation]
    for state, is_shut in ((operation, True), ("locked", False)):
        await report(site.connection, state=state)
        front, mine = await text(site, "/"), await text(site, "/me/access")
        assert ("is-shut" in front, "<small>by Ola, <time" in front) == (is_shut, is_shut)
        assert (f"{words} now, for everybody." in mine, "Not now" in mine) == (is_shut, is_shut)
        assert ">Yes<" in mine or is_shut
        people = await text(site, "/doors/front/people", "ola")
        assert (f"{words} now, for everybody. 1 could otherwise." in people) is is_shut
        assert ("1 can now." in people) is not is_shut
        for page in (people, await text(site, f"/members/{account}", "ola")):
            assert ("Not now" in page) is is_shut


async def plain(site: Site, path: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", "", await text(site, path, "ola"))).split())


async def test_the_doors_page_counts_down_and_lists_the_break_glass_cards(site: Site):
    owner = await kari(site)
    await console_app.admin(site.connection, "ola")
    await enrol(site.connection)
    assert "Break-glass cards 0 of 5" in await plain(site, "/doors")
    for slot, lost in ((2, False), (3, True)):
        fob = await makerspace.card(site.connection, account=owner, label=f"fob {slot}", lost=lost)
        await site.connection.execute(
            "insert into access.break_glass_card (slot, card) values (%s, %s)", [slot, fob]
        )
    told = reported("locked")
    told["state"] |= {"age_ms": 3_600_000}
    told["state"]["points"]["front"] |= {"staleness": "aging", "alarms": ["relay_welded"]}
    await site.connection.execute(
        "insert into access.controller_report values ('front-pi', now() - interval '1 hour', %s)",
        [json.dumps(told)],
    )
    page = await text(site, "/doors", "ola")
    assert "data-left" in page
    words = await plain(site, "/doors")
    assert "Break-glass cards 1 of 5" in words
    assert "Kari Nordmannfob 2" in words
    assert "Works without the console until" in words
    assert ": then break-glass cards only (in 6 days)" in words
    assert "let go" not in words, "an old alarm is no news"


def opened(name: str, **changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"point": "front", "tap": "0c" * 16, "entry": name, "member": "a1" * 8}
    return known | {"time_ms": 1, "clock": "untrusted", "reason": "allowed"} | changes


async def test_openings_that_can_not_be_recorded_are_told_one_by_one(site: Site):
    owner = await kari(site)
    await console_app.admin(site.connection, "ola")
    await enrol(site.connection)
    fob = await makerspace.card(site.connection, account=owner, label="fob")
    await site.connection.execute("insert into access.break_glass_card values (2, %s)", [fob])
    cursor = await site.connection.execute(
        "select c.entry_key, k.site_digest from access.controller c, access.card k"
        " where c.id = 'front-pi' and k.id = %s",
        [fob],
    )
    found = await cursor.fetchone()
    assert found is not None
    hers = entry(bytes(found[0]), SiteDigest(bytes(found[1]))).hex()
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    told = reported("fault")
    told["state"]["break_glass"] = {
        "unrecorded": 5,
        "openings": [
            opened(hers, time_ms=now_ms, clock="trusted"),
            opened("be" * 16, tap="0d" * 16),
            opened(hers, reason="relay_fault", tap="0e" * 16),
        ],
    }
    await site.connection.execute(
        "insert into access.controller_report values ('front-pi', now(), %s)", [json.dumps(told)]
    )
    for path in ("/doors", "/controllers"):
        words = await plain(site, path)
        assert "Kari Nordmann (“fob”) opened Front door today " in words
        assert "Break-glass card bebebebe opened Front door at an unknown time" in words
        assert "Kari Nordmann (“fob”) was let in, but did not get through at Front door" in words
        assert "2 earlier openings" in words


async def test_an_opening_that_was_told_and_lost_with_the_power_stays_until_an_event_tells_it(
    site: Site,
):
    await console_app.admin(site.connection, "ola")
    await enrol(site.connection)
    told, other = "0c" * 16, "0d" * 16
    before = Report(
        BootId("aa" * 16),
        JournalId("cc" * 16),
        1000,
        Nonce("dd" * 16),
        NO_VERSION,
        0,
        {"break_glass": {"unrecorded": 2, "openings": [opened("be" * 16), opened("", tap=other)]}},
    )
    after = replace(before, boot=BootId("ab" * 16), mono_ms=5, state={})
    for report in (before, replace(before, mono_ms=2000), after):
        now = datetime.now(UTC)
        taken = await take_in(site.connection, ControllerId("front-pi"), report, at=now)
        assert taken.is_news
    lost = (
        "Break-glass card bebebebe opened Front door at an unknown time. Its controller told this"
    )
    assert lost in await plain(site, "/doors")
    assert "told, but lost before it was recorded" in await plain(site, "/controllers")
    for number, tap in enumerate((told, other), start=1):
        await site.connection.execute(
            """
            insert into access.event
                   (controller, journal_id, seq, hash, happened_at, clock_trusted, kind, tap_id,
                    payload)
            values ('front-pi', 'j', %s, '', now(), true, 'access_granted', %s, '')
            """,
            [number, tap],
        )
    assert "Its controller told this" not in await plain(site, "/doors")


@pytest.mark.parametrize(
    "said_of_it",
    [None, 7, {}, {"openings": "x"}, {"openings": [7, {}, {"time_ms": 1e300, "clock": "trusted"}]}],
    ids=["nothing", "number", "empty", "text", "odd"],
)
def test_odd_reports_of_break_glass_openings_break_nothing(said_of_it: object):
    found = openings({"state": {"break_glass": said_of_it}})
    assert all(one.at is None and not one.has_opened for one in found)


async def test_the_page_of_a_door_tells_what_is_set_for_it(site: Site):
    await console_app.admin(site.connection, "ola")
    await enrol(site.connection)
    words = await plain(site, "/doors/front")
    assert "Stands openat no hours" in words
    await site.connection.execute(
        "update access.door set requires_fresh = true, soft_seconds = 7200, min_assurance = 2"
    )
    await site.connection.execute(
        "insert into access.open_hours values ('front', 2, 1080, 1320), ('front', 5, 1200, 1560)"
    )
    words = await plain(site, "/doors/front")
    assert "tue 18:00-22:00, fri 20:00-02:00 (UTC)" in words
    assert "all cards for 2 h, then nobody" in words
    assert "that prove themselves" in words
    assert "this door takes only cards that prove themselves" in words


async def test_a_door_for_better_cards_is_not_offered_and_says_why(site: Site):
    await kari(site)
    await enrol(site.connection)
    await site.connection.execute("update access.door set min_assurance = 1")
    page = await text(site, "/")
    assert "/doors/front/openings" not in page
    assert "It takes only cards that are hard to copy, and doesn’t open from here." in page


async def test_the_controllers_page_tells_of_tools_and_slow_storage(site: Site):
    await console_app.admin(site.connection, "ola")
    await enrol(site.connection)
    laser = await makerspace.tool(site.connection, name="Laser")
    await makerspace.tool_point(site.connection, tool=laser)
    told = reported("locked")
    told["state"]["storage"] = {"commit_p99_ms": 12.7}
    await site.connection.execute(
        "insert into access.controller_report values ('front-pi', now(), %s)", [json.dumps(told)]
    )
    words = await plain(site, "/controllers")
    assert "Laser" in words
    assert "99 of 100 records are on disk within 13 ms" in words


@pytest.mark.parametrize("slow", [None, "x", True, {}])
def test_a_storage_that_tells_nothing_is_not_shown(slow: object):
    assert said.storage({"state": {"storage": {"commit_p99_ms": slow}}}) is None
    assert said.storage({"state": {"storage": slow}}) is None


async def test_pages_of_doors_and_controllers_are_for_admins(site: Site):
    await kari(site)
    await enrol(site.connection)
    browser = await site.browser("kari")
    for path in ("/doors", "/doors/front", "/controllers"):
        assert (await browser.get(path)).status == 403


async def test_a_door_that_is_not_there_is_404(site: Site):
    await console_app.admin(site.connection, "ola")
    browser = await site.browser("ola")
    assert (await browser.get("/doors/attic")).status == 404
    assert (await browser.get("/doors/UPPER")).status == 404


async def test_without_doors_the_pages_say_how_one_is_made(site: Site):
    await console_app.admin(site.connection, "ola")
    assert 'href="/doors/_new"' in await text(site, "/doors", "ola")
    assert 'href="/controllers/_new"' in await text(site, "/controllers", "ola")


async def test_the_controllers_page_tells_what_each_says_of_itself(site: Site):
    await console_app.admin(site.connection, "ola")
    await enrol(site.connection)
    await makerspace.controller(site.connection, key="back-pi")
    await site.connection.execute(
        "insert into access.controller_report values ('front-pi', now(), %s::jsonb)",
        [
            json.dumps(
                {
                    "applied": {"epoch": 1, "serial": 4, "digest": None},
                    "state": {
                        "journal": {"id": "ab", "head": 12, "acknowledged": 9},
                        "clock": {"trusted": False},
                        "faults": ["reader_lost: front: its port is missing"],
                        "last_error": {"kind": "snapshot", "text": "older than < before"},
                    },
                }
            )
        ],
    )
    page = await text(site, "/controllers", "ola")
    assert "12 events, 3 not yet here" in page
    assert "not sure of the time" in page
    assert "Reader lost: front: its port is missing" in page
    assert "Refused a snapshot since its start: older than &lt; before" in page
    assert "Not enrolled yet" in page
    await site.connection.execute(
        "update access.controller set quarantined_at = now(), quarantine_reason = 'a &lt; b < c'"
        " where id = 'front-pi'"
    )
    page = await text(site, "/controllers", "ola")
    assert "In quarantine" in page
    assert "b &lt; c" in page


async def test_an_open_page_hears_of_a_new_state_at_once(site: Site):
    await kari(site)
    await enrol(site.connection)
    await report(site.connection)
    browser = await site.browser("kari")
    async with streaming(browser) as stream:
        assert "event: door-front" in await stream.until("Locked")
        await report(site.connection, state="fault")
        assert "event: door-front" in await stream.until("Out of order")


async def test_without_a_way_to_the_controllers_nothing_is_claimed(site: Site):
    await kari(site)
    await enrol(site.connection)
    browser = await site.browser("kari")
    assert (await browser.post("/doors/front/openings")).status == 503
