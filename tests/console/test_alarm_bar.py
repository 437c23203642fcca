"""Alarms and emergency states stand on every page while they last."""

import json
from collections.abc import Mapping

import pytest

from tests.console.test_live import streaming
from tests.support import makerspace
from tests.support.console_app import Site, admin, member
from tests.support.waiting import eventually


async def report(
    site: Site, points: Mapping[str, object], *, age: str = "1 second", controller: str = "front-pi"
) -> None:
    """What the controller says of its points, told as a report is."""
    await site.connection.execute(
        """
        insert into access.controller_report (controller, received_at, report)
        values (%(controller)s, now() - %(age)s::interval, %(report)s)
        on conflict (controller) do update
          set received_at = excluded.received_at, report = excluded.report
        """,
        {
            "controller": controller,
            "age": age,
            "report": json.dumps({"state": {"points": points}}),
        },
    )
    await site.connection.execute("select pg_notify('access_report', %s)", [controller])


@pytest.fixture
async def saw(site: Site) -> int:
    """A member kari, an admin ola, a door, and a tool at its controller; gives the tool's id."""
    await admin(site.connection, "ola")
    await member(site.connection, "kari")
    await makerspace.controller(site.connection)
    await site.connection.execute(
        """
        update access.controller set enrolled_at = now(), public_key = 'x', entry_key = 'x',
          broker_password_hash = 'x'
        """
    )
    await makerspace.door(site.connection)
    tool = await makerspace.tool(site.connection, name="Table saw")
    await makerspace.tool_point(site.connection, tool=tool, key="saw")
    return tool


async def bar_on(site: Site, who: str, path: str) -> str:
    """The words of the bar on a page, as it is once the console has looked."""
    page = await (await (await site.browser(who)).get(path)).text()
    found = page.split('sse-swap="alarms">')[1].split("</div>")[0]
    return " ".join(found.split())


FINE = {"front": {"state": "locked"}, "saw": {"state": "locked"}}
TROUBLE = {
    "front": {"state": "held_open", "alarms": ["relay_welded", "held_open"]},
    "saw": {"state": "stopped"},
}


@pytest.mark.parametrize("path", ["/", "/tools", "/members", "/me/account", "/circles"])
async def test_an_emergency_stands_on_each_page_for_everybody(
    site: Site, saw: int, path: str
) -> None:
    await report(site, TROUBLE)

    async def told() -> str | None:
        words = await bar_on(site, "kari", path)
        return words if "Emergency stop pressed" in words and "Held open" in words else None

    words = await eventually(told)
    assert "Front door</strong>, Held open, The relay doesn&#39;t let go" in words
    assert "Table saw</strong>, Emergency stop pressed" in words
    assert words.count("Held open") == 1, "the state and its alarm are one"
    assert "<a href" not in words
    assert f'<a href="/tools/{saw}">Table saw</a>' in await bar_on(site, "ola", path)
    await report(site, FINE)

    async def over() -> bool:
        return "notice" not in await bar_on(site, "kari", path)

    await eventually(over)


async def test_a_silent_controller_is_for_admins(site: Site, saw: int) -> None:
    del saw
    await report(site, FINE, age="1 hour")

    async def told() -> bool:
        return "Offline" in await bar_on(site, "ola", "/members")

    await eventually(told)
    assert "notice" not in await bar_on(site, "kari", "/members")


async def test_an_open_page_hears_of_it(site: Site, saw: int) -> None:
    del saw
    await report(site, FINE)
    client = await site.browser("kari")
    async with streaming(client) as stream:
        assert "notice" not in await stream.next("alarms")
        await report(site, TROUBLE)
        while "Emergency stop pressed" not in await stream.next("alarms"):
            pass  # what was true before it may be told once more
        await report(site, FINE)
        while "notice" in await stream.next("alarms"):
            pass


async def test_many_alarms_are_counted(site: Site, saw: int) -> None:
    del saw
    keys = [f"side-{number}" for number in range(7)]
    for key in keys:
        await makerspace.door(site.connection, key=key, name=key)
    await report(site, {key: {"state": "forced"} for key in keys})

    async def told() -> bool:
        return "and 4 more alarms" in await bar_on(site, "kari", "/")

    await eventually(told)
    assert (await bar_on(site, "kari", "/")).count("Forced open") == 3


async def test_somebody_who_is_not_logged_in_sees_none(site: Site, saw: int) -> None:
    del saw
    await report(site, TROUBLE)
    page = await (await site.browser()).get("/login")
    assert "Emergency" not in await page.text()
