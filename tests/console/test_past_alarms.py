"""Alarms that are over stay for admins until one of them has looked into them."""

import re
from collections.abc import Mapping

import pytest

from console.database import Connection
from console.events import past_alarm_queries as queries
from console.events.past_alarms import AlarmKey, lasts
from tests.console.test_alarm_bar import FINE, bar_on, report, saw
from tests.console.test_live import streaming
from tests.support import makerspace
from tests.support.console_app import Client, Site, member
from tests.support.recorded import event
from tests.support.waiting import eventually

__all__ = ["saw"]

PAGE = "/log/alarms"
DAY = 24 * 3600.0
FORCED = AlarmKey("front", "door_forced", "")


@pytest.fixture
async def quiet(site: Site, saw: int) -> int:
    """The same place with nothing wrong now; gives the tool's id."""
    await report(site, FINE)
    return saw


async def fields(client: Client, place: str = "front") -> dict[str, str]:
    """The form for a place's alarms, as the page shows it."""
    page = await (await client.get(PAGE)).text()
    for form in re.findall(r'<form action="/log/alarms".*?</form>', page, re.DOTALL):
        found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        if found["point"] == place:
            return found
    raise AssertionError(f"no form for {place}: {page}")


async def look(client: Client, form: Mapping[str, str], comment: str = "") -> int:
    answer = await client.post(PAGE, data={**form, "comment": comment}, allow_redirects=False)
    return answer.status


async def looked(connection: Connection) -> list[tuple[object, ...]]:
    cursor = await connection.execute(
        "select l.point, l.alarms, a.username, l.comment from access.alarm_look l"
        " join account a on a.id = l.looked_by order by l.looked_at"
    )
    return list(await cursor.fetchall())


async def waiting(connection: Connection) -> list[tuple[str, str, int]]:
    return [(row.point, row.kind, row.alarms) for row in await queries.waiting(connection)]


async def test_a_door_that_was_forced_and_closed_again_stays_for_admins_until_one_has_looked(
    site: Site, quiet: int
) -> None:
    del quiet
    for seconds in (500, 400, 300):
        await event(site.connection, kind="door_forced", seconds_ago=seconds)

    async def told() -> str | None:
        words = await bar_on(site, "ola", "/members")
        forced = re.search("was forced open 3 times, last (today|yesterday)", words)
        return words if forced else None

    words = await eventually(told)
    assert '<a href="/doors/front">Front door</a></strong> was forced open' in words
    assert f'<a href="{PAGE}">Look into it' in words
    assert "notice" not in await bar_on(site, "kari", "/members"), "members see what lasts"
    ola = await site.browser("ola")
    assert await look(ola, await fields(ola), "a storm") == 303
    assert "notice" not in await bar_on(site, "ola", "/members"), "at once"
    assert await looked(site.connection) == [("front", 3, "ola", "a storm")]


async def test_who_looked_and_what_it_was_stands_on_the_pages_and_in_the_changes(
    site: Site, quiet: int
) -> None:
    await event(site.connection, kind="door_forced")
    await event(site.connection, kind="fault_began", point="saw", reason="emergency_stopped")
    ola = await site.browser("ola")
    assert await look(ola, await fields(ola), "a “storm”") == 303
    assert await look(ola, await fields(ola, "saw")) == 303
    for path in (PAGE, "/doors/front"):
        page = await (await ola.get(path)).text()
        assert ">Ola</a>" in page, path
        assert "“a “storm””" in page, path
    door = await (await ola.get("/doors/front")).text()
    assert "Ola has looked into it" in door, "and beside the event"
    tool = await (await ola.get(f"/tools/{quiet}")).text()
    assert re.search("Had its emergency stop pressed (today|yesterday)", tool)
    changes = await (await ola.get("/log/changes")).text()
    assert "looked into alarms of Front door" in changes
    kari = await site.browser("kari")
    assert "looked into" not in await (await kari.get(f"/tools/{quiet}")).text()


async def test_what_came_while_somebody_looked_goes_on_waiting(site: Site, quiet: int) -> None:
    del quiet
    await event(site.connection, kind="door_forced")
    ola = await site.browser("ola")
    form = await fields(ola)
    await event(site.connection, kind="door_forced", seconds_ago=1)
    assert await look(ola, form) == 303
    assert await waiting(site.connection) == [("front", "door_forced", 1)]
    assert await look(ola, await fields(ola)) == 303
    assert await waiting(site.connection) == []
    await event(site.connection, kind="door_forced", seconds_ago=20 * DAY)
    assert await waiting(site.connection) == [("front", "door_forced", 1)], "however old it is"


async def test_an_alarm_that_lasts_is_not_to_be_looked_away(site: Site, quiet: int) -> None:
    del quiet
    await event(site.connection, kind="door_forced")
    ola = await site.browser("ola")
    form = await fields(ola)
    await report(site, {**FINE, "front": {"state": "forced", "alarms": ["forced"]}})
    answer = await ola.post(PAGE, data=form)
    assert answer.status == 422
    assert "It is not over yet. Come back once it is." in await answer.text()
    assert await looked(site.connection) == []

    async def told() -> str | None:
        words = await bar_on(site, "ola", "/members")
        return words if "Forced open" in words else None

    assert "was forced" not in await eventually(told), "it is told once"
    await report(site, FINE)
    assert await look(ola, form) == 303


async def test_sent_twice_it_is_written_once(site: Site, quiet: int) -> None:
    del quiet
    await event(site.connection, kind="tamper_began")
    ola = await site.browser("ola")
    form = await fields(ola)
    assert [await look(ola, form) for _ in range(2)] == [303, 303]
    assert len(await looked(site.connection)) == 1


async def test_whoever_comes_second_is_told_who_was_first(site: Site, quiet: int) -> None:
    del quiet
    await event(site.connection, kind="door_forced")
    eva = await member(site.connection, "eva")
    await makerspace.circle_member(site.connection, account=eva, circle="admin")
    ola, second = await site.browser("ola"), await site.browser("eva")
    form = await fields(second)
    assert await look(ola, form) == 303
    answer = await second.post(PAGE, data={**form, "comment": "the wind"})
    assert answer.status == 422
    assert "Ola has looked into it meanwhile." in await answer.text()
    assert await looked(site.connection) == [("front", 1, "ola", "")]


@pytest.mark.parametrize(
    ("comment", "words"),
    [("x" * 501, "At most 500 characters."), ("a\nb", "only characters that can be seen")],
    ids=["long", "lines"],
)
async def test_a_comment_that_does_not_fit_is_kept_in_its_field(
    site: Site, quiet: int, comment: str, words: str
) -> None:
    del quiet
    await event(site.connection, kind="door_forced")
    ola = await site.browser("ola")
    answer = await ola.post(PAGE, data={**await fields(ola), "comment": comment})
    page = await answer.text()
    assert answer.status == 422
    assert words in page
    assert f'value="{comment}"' in page
    assert await looked(site.connection) == []
    assert await look(ola, await fields(ola), "x" * 500) == 303


@pytest.mark.parametrize(
    "form",
    [
        {"point": "front", "kind": "access_granted", "last_event": "999999"},
        {"point": "elsewhere", "kind": "door_forced", "last_event": "999999"},
        {"point": "front", "kind": "door_forced", "last_event": "0"},
    ],
    ids=["no alarm", "no place", "nothing seen"],
)
async def test_what_no_page_has_shown_is_not_looked_into(
    site: Site, quiet: int, form: Mapping[str, str]
) -> None:
    del quiet
    await event(site.connection, kind="door_forced")
    await event(site.connection, kind="access_granted")
    ola = await site.browser("ola")
    answer = await ola.post(PAGE, data=form)
    assert answer.status == 422
    assert "There is nothing to look into any more." in await answer.text()
    assert (await ola.post(PAGE, data={**form, "last_event": "x"})).status == 400
    assert await looked(site.connection) == []


async def test_an_alarm_to_come_is_never_looked_into_beforehand(site: Site, quiet: int) -> None:
    del quiet
    await event(site.connection, kind="door_forced")
    ola = await site.browser("ola")
    assert await look(ola, {**await fields(ola), "last_event": "9" * 18}) == 303
    await event(site.connection, kind="door_forced")
    assert await waiting(site.connection) == [("front", "door_forced", 1)]


async def test_a_door_held_open_that_was_soon_closed_needs_no_look(site: Site, quiet: int) -> None:
    del quiet
    await event(site.connection, kind="door_held_open", seconds_ago=3000)
    await event(site.connection, kind="door_closed", seconds_ago=3000 - 14 * 60)
    assert await waiting(site.connection) == []
    await event(site.connection, kind="door_held_open", seconds_ago=1900)
    await event(site.connection, kind="door_closed", seconds_ago=1900 - 16 * 60)
    assert await waiting(site.connection) == [("front", "door_held_open", 1)]


async def test_a_door_held_open_needs_a_look_where_nobody_knows_for_how_long(
    site: Site, quiet: int
) -> None:
    del quiet
    await event(site.connection, kind="door_held_open", seconds_ago=90)
    await event(site.connection, kind="door_closed", seconds_ago=80, clock_trusted=False)
    assert await waiting(site.connection) == [("front", "door_held_open", 1)]


async def test_faults_that_nobody_finds_at_the_door_and_what_is_old_need_no_look(
    site: Site, quiet: int
) -> None:
    del quiet
    await event(site.connection, kind="fault_began", reason="not_fresh")
    await event(site.connection, kind="access_denied", reason="expired")
    await event(site.connection, kind="door_forced", point=None)
    await event(site.connection, kind="door_forced")
    await site.connection.execute(
        "update access.event set received_at = now() - interval '31 days'"
        " where kind = 'door_forced'"
    )
    assert await waiting(site.connection) == []
    await event(site.connection, kind="fault_began", reason="relay_welded")
    assert await waiting(site.connection) == [("front", "fault_began", 1)]


@pytest.mark.parametrize(
    ("kind", "reason", "word"),
    [
        ("door_forced", "", "forced"),
        ("door_held_open", "", "held_open"),
        ("tamper_began", "", "tampered"),
        ("fault_began", "relay_welded", "relay_welded"),
        ("fault_began", "relay_stuck", "fault"),
        ("fault_began", "storage_fault", "fault"),
        ("fault_began", "emergency_stopped", "stopped"),
    ],
)
def test_an_alarm_lasts_while_its_place_says_so(kind: str, reason: str, word: str):
    key = AlarmKey("front", kind, reason)
    assert lasts(key, {"locked", word})
    assert not lasts(key, {"locked"})
    assert not lasts(key, set())


async def test_an_open_page_of_an_admin_hears_of_an_alarm_and_of_a_look(
    site: Site, quiet: int
) -> None:
    del quiet
    ola = await site.browser("ola")
    async with streaming(ola) as stream:
        assert "notice" not in await stream.next("alarms")
        await event(site.connection, kind="door_forced")
        while "was forced open" not in await stream.next("alarms"):
            pass
        assert await look(ola, await fields(ola)) == 303
        while "notice" in await stream.next("alarms"):
            pass


async def test_among_many_taps_alarms_are_found_by_their_own_index(
    connection: Connection, saw: int
) -> None:
    del saw
    await connection.execute(
        """
        insert into access.event (controller, journal_id, seq, hash, happened_at, clock_trusted,
          kind, point, payload)
        select 'front-pi', 'many', n, '\\x00', now() - n * interval '50 seconds', true,
          case when n % 1000 = 0 then 'door_forced' else 'access_granted' end, 'front', '{}'
        from generate_series(1, 40000) n
        """
    )
    await connection.execute("analyze access.event")
    cursor = await connection.execute(
        b"explain " + queries.WAITING.encode() + b" select * from waiting",
        {"days": 30, "faults": ["relay_welded"], "minutes": 15},
    )
    plan = "\n".join(row[0] for row in await cursor.fetchall())
    assert "event_alarm" in plan, plan
    assert await waiting(connection) == [("front", "door_forced", 40)]
