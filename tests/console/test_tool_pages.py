"""What the pages of tools say, and to whom."""

import html
import json
import re

import pytest

from tests.support import console_app, makerspace, recorded
from tests.support.console_app import Site
from tests.support.streams import streaming


async def words(site: Site, path: str, username: str = "kari") -> str:
    browser = await site.browser(username)
    answer = await browser.get(path)
    assert answer.status == 200, await answer.text()
    return " ".join(html.unescape(re.sub("<[^>]*>", "", await answer.text())).split())


async def report(site: Site, state: str, *, relay: str = "on", age: str = "1 second") -> None:
    said = {"points": {"laser": {"kind": "tool", "relay": relay, "state": state}}, "age_ms": 0}
    await site.connection.execute(
        "insert into access.controller_report values ('front-pi', now() - %s::interval, %s::jsonb)"
        " on conflict (controller) do update"
        " set received_at = excluded.received_at, report = excluded.report",
        [age, json.dumps({"state": said})],
    )
    await site.connection.execute("select pg_notify('access_report', 'front-pi')")


@pytest.fixture
async def laser(site: Site) -> int:
    """A laser at an enrolled controller, Kari who may use it, and Ola, an admin who may not."""
    kari = await console_app.member(site.connection, "kari", name="Kari Nordmann")
    await console_app.admin(site.connection, "ola")
    circle = await makerspace.circle(site.connection, name="laser")
    await makerspace.circle_member(site.connection, account=kari, circle=circle)
    await makerspace.payment(site.connection, account=kari)
    tool = await makerspace.tool(site.connection, name="Laser", circle=circle)
    await makerspace.controller(site.connection)
    await makerspace.tool_point(site.connection, tool=tool)
    await site.connection.execute(
        "update access.controller set public_key = '', entry_key = '', broker_password_hash = '',"
        " enrolled_at = now()"
    )
    return tool


async def eva_keeps(site: Site) -> None:
    """Eva is in the circle that manages the laser's."""
    eva = await console_app.member(site.connection, "eva")
    instructors = await makerspace.circle(site.connection, name="instructors")
    await makerspace.circle_member(site.connection, account=eva, circle=instructors)
    await site.connection.execute(
        "update circle set admin_circle = %s, management_style = 'ADMIN_CIRCLE'"
        " where name = 'laser'",
        [instructors],
    )


async def id_of_kari(site: Site) -> int:
    cursor = await site.connection.execute("select id from account where username = 'kari'")
    ((kari,),) = await cursor.fetchall()
    return kari


async def test_whoever_manages_a_tools_circle_sees_who_uses_it_and_what_happened(
    site: Site, laser: int
):
    eva = await console_app.member(site.connection, "eva")
    instructors = await makerspace.circle(site.connection, name="instructors")
    await makerspace.circle_member(site.connection, account=eva, circle=instructors)
    await report(site, "locked", relay="off")
    event = await recorded.event(
        site.connection, kind="access_denied", point="laser", reason="unknown_card"
    )
    browser = await site.browser("eva")
    seen = (f"/tools/{laser}/people", f"/log/taps/{event}")
    assert [(await browser.get(path)).status for path in seen] == [403, 403]
    assert "What happened" not in await words(site, f"/tools/{laser}", "eva")

    await site.connection.execute(
        "update circle set admin_circle = %s, management_style = 'ADMIN_CIRCLE'"
        " where name = 'laser'",
        [instructors],
    )
    page = await words(site, "/tools", "eva")
    assert "Laser Off Not for you now You look after it" in page
    page = await words(site, f"/tools/{laser}", "eva")
    assert "What happened" in page
    assert "Orders" not in page
    assert "Kari Nordmann" in await words(site, f"/tools/{laser}/people", "eva")
    assert "Refused: Laser" in await words(site, f"/log/taps/{event}", "eva")
    kari = await site.browser("kari")
    refused = await kari.get(f"/tools/{laser}/people")
    assert refused.status == 403
    assert "“instructors” or “admin”" in html.unescape(await refused.text())


async def test_nobody_looks_after_the_tool_of_a_circle_that_manages_itself_by_making_a_badge(
    site: Site, laser: int
):
    cursor = await site.connection.execute(
        "update circle set admin_circle = null, management_style = 'SELF_ADMIN'"
        " where name = 'laser' returning id"
    )
    ((circle,),) = await cursor.fetchall()
    browser = await site.browser("kari")
    made = await browser.post(
        "/badges", data={"title": "Laser", "circle": str(circle)}, allow_redirects=False
    )
    assert made.status == 303
    assert "You look after it" not in await words(site, "/tools")
    assert (await browser.get(f"/tools/{laser}/people")).status == 403


async def test_whoever_only_looks_after_a_tool_is_not_told_what_people_call_their_cards(
    site: Site, laser: int
):
    await eva_keeps(site)
    kari = await id_of_kari(site)
    card = await makerspace.card(site.connection, account=kari, label="my son's fob")
    event = await recorded.event(site.connection, point="laser", account=kari, card=card)
    for path in (f"/tools/{laser}", f"/log/taps/{event}"):
        assert "Kari Nordmann" in await words(site, path, "eva")
        assert "my son's fob" not in await words(site, path, "eva")
        assert "my son's fob" in await words(site, path, "ola")
    assert "my son's fob" in await words(site, f"/log/taps/{event}", "kari")


async def test_whoever_only_looks_after_a_tool_is_not_told_of_memberships(site: Site, laser: int):
    await eva_keeps(site)
    people = f"/tools/{laser}/people"
    kari = await id_of_kari(site)
    event = await recorded.event(site.connection, point="laser", account=kari)
    assert "Kari NordmannIn circle “laser”Yes" in await words(site, people, "eva")
    assert "Kari NordmannIn circle “laser”, works until" in await words(site, people, "ola")
    assert "Membership: it held until" not in await words(site, f"/log/taps/{event}", "eva")

    await site.connection.execute("update stripe_payment set end_date = now() - interval '9 days'")
    refused = await recorded.event(
        site.connection, kind="access_denied", point="laser", account=kari, reason="expired"
    )
    page = await words(site, f"{people}?q=kari", "eva")
    assert "In circle “laser”, but can’t use it now. The front desk sees what" in page
    assert "embership" not in page
    assert "The membership ended" in await words(site, f"{people}?q=kari", "ola")
    page = await words(site, f"/log/taps/{refused}", "eva")
    assert "embership ended" not in page
    assert "it ended" not in page
    await site.connection.execute("delete from circle_member where account = %s", [kari])
    page = await words(site, f"{people}?q=kari", "eva")
    assert "Not in circle “laser”" in page
    assert "No membership" not in page


async def test_a_tool_that_somebody_uses_with_her_card_is_free_on_no_page(site: Site, laser: int):
    per = await console_app.member(site.connection, "per", name="Per Hansen")
    rows = await site.connection.execute("select id from circle where name = 'laser'")
    for (circle,) in await rows.fetchall():
        await makerspace.circle_member(site.connection, account=per, circle=circle)
    await makerspace.payment(site.connection, account=per)
    await report(site, "running")
    await recorded.event(site.connection, point="laser", account=per)
    for path in ("/", "/tools"):
        page = await words(site, path)
        assert re.search("Laser Running Per Hansen, since (today|yesterday)", page), path
        assert "Take" not in page, "it is switched on with a card"
    assert "You have Laser Running" in await words(site, "/", "per")
    assert "You can use it when it is free" in await words(site, "/tools")
    assert "You can use it: hold your card to its reader" in await words(site, "/tools", "per")
    await report(site, "out_of_service", relay="off")
    for visitor in ("kari", "per"):
        page = await words(site, "/tools", visitor)
        assert "Out of service You can use it when it is back" in page


async def test_a_member_sees_what_each_tool_does_and_whether_it_is_for_her(site: Site, laser: int):
    await makerspace.tool(site.connection, name="Lathe", circle=None)
    await report(site, "locked", relay="off")
    page = await words(site, "/tools")
    assert "Laser Off You can use it" in page
    assert "Lathe Free Not for you now It has no circle, so nobody can use it." in page
    assert page.index("Laser") < page.index("Lathe")
    page = await words(site, f"/tools/{laser}", "ola")
    assert "No membership. A payment: it works within a second." in page
    assert "Not in circle “laser”. For “laser” ask Kari Nordmann." in page


async def test_whoever_uses_it_is_named_until_she_is_done(site: Site, laser: int):
    cursor = await site.connection.execute("select id from account where username = 'kari'")
    ((kari,),) = await cursor.fetchall()
    await recorded.event(site.connection, point="laser", account=kari, seconds_ago=90)
    await report(site, "running")
    page = await words(site, f"/tools/{laser}")
    assert re.search("Running Kari Nordmann, since (today|yesterday)", page)
    await report(site, "locked", relay="off")
    assert "Kari Nordmann" not in await words(site, f"/tools/{laser}")
    await recorded.event(
        site.connection, kind="tool_released", point="laser", account=kari, seconds_ago=5
    )
    await report(site, "armed")
    assert "Kari Nordmann" not in await words(site, f"/tools/{laser}")


async def test_whoever_took_a_tool_over_uses_it_also_when_the_other_is_done_after_that(
    site: Site, laser: int
):
    per = await makerspace.account(site.connection, name="Per Hansen")
    cursor = await site.connection.execute("select id from account where username = 'kari'")
    ((kari,),) = await cursor.fetchall()
    await recorded.event(site.connection, point="laser", account=per, seconds_ago=90)
    await recorded.event(site.connection, point="laser", account=kari, seconds_ago=20)
    await recorded.event(
        site.connection, kind="tool_released", point="laser", account=per, seconds_ago=19
    )
    await report(site, "armed")
    assert "Ready to be started Kari Nordmann, since" in await words(site, f"/tools/{laser}")


async def test_a_tool_that_is_checked_out_in_the_old_application_names_who_has_it(site: Site):
    kari = await console_app.member(site.connection, "kari", name="Kari Nordmann")
    saw = await makerspace.tool(site.connection, name="Saw")
    await makerspace.checkout(site.connection, tool=saw, account=kari)
    assert "Saw Checked out Kari Nordmann" in await words(site, "/tools")
    assert "none: it is taken and given back here" in await words(site, f"/tools/{saw}")


async def test_admins_see_what_happened_at_a_tool_and_its_orders_and_members_do_not(
    site: Site, laser: int
):
    await report(site, "running")
    await recorded.event(site.connection, kind="tool_started", point="laser")
    await recorded.event(site.connection, kind="access_denied", point="laser", reason="in_use")
    page = await words(site, f"/tools/{laser}", "ola")
    assert "Somebody started it" in page
    assert "An unknown card was refused Somebody else is using it." in page
    assert "Stop now" in page
    assert "Works 7 days without the console" in page
    assert "front-pi, as laser, heard" in page
    page = await words(site, f"/tools/{laser}")
    for secret in ("Stop now", "started it", "refused", "Works 7 days"):
        assert secret not in page


async def test_a_tool_is_offline_with_its_controller(site: Site, laser: int):
    await report(site, "running", age="2 minutes")
    page = await words(site, f"/tools/{laser}")
    assert re.search("Offline since (today|yesterday)", page)
    assert "Running" not in page


async def test_an_open_page_hears_of_a_tools_new_state(site: Site, laser: int):
    await report(site, "locked", relay="off")
    browser = await site.browser("kari")
    async with streaming(browser) as stream:
        assert f"event: tool-{laser}" in await stream.until("Off")
        await report(site, "running")
        told = await stream.until("Running")
        assert f"event: tool-{laser}" in told
        assert "tool-rights" not in told


async def test_a_tool_without_a_controller_takes_no_orders(site: Site, laser: int):
    browser = await site.browser("ola")
    saw = await makerspace.tool(site.connection, name="Saw")
    for path, status in ((f"/tools/{saw}", 404), ("/tools/0", 404), (f"/tools/{laser}", 503)):
        answer = await browser.post(f"{path}/orders", data={"operation": "stop_now"})
        assert answer.status == status, path
    answer = await browser.post(f"/tools/{laser}/orders", data={"operation": "open"})
    assert answer.status == 400


async def test_a_tool_that_is_not_there_is_404_and_without_tools_that_is_said(site: Site):
    await console_app.member(site.connection, "kari")
    browser = await site.browser("kari")
    assert (await browser.get("/tools/7")).status == 404
    assert "There are no tools yet." in await words(site, "/tools")


async def test_the_navigation_leads_to_the_tools(site: Site):
    await console_app.member(site.connection, "kari")
    assert "Tools" in await words(site, "/")
