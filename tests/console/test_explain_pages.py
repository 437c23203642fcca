"""The pages that explain: a tap, who can use a place, what somebody can; and who may see them."""

import html
import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import makerspace, recorded
from tests.support.console_app import Site, admin, member
from tests.support.site import RightsSite


@dataclass
class House:
    """Pages and publisher on one database; Ola is an admin, and Kari has a card."""

    site: Site
    rights: RightsSite
    card: int

    async def page(self, path: str, username: str = "ola", *, status: int = 200) -> str:
        """The words of a page."""
        browser = await self.site.browser(username)
        answer = await browser.get(path)
        text = await answer.text()
        assert answer.status == status, text
        return " ".join(html.unescape(re.sub("<[^>]*>", " ", text)).split())

    async def tapped(self, reason: str = "allowed", *, serial: int | None = 1, **more: Any) -> str:
        """A tap of Kari's card by what was published; the path of its page."""
        kind = "access_granted" if reason == "allowed" else "access_denied"
        known: dict[str, Any] = {
            "kind": kind,
            "reason": reason,
            "account": self.rights.kari,
            "card": self.card,
            "epoch": serial and 1,
            "serial": serial,
            "seconds_ago": -1,
        }
        event = await recorded.event(self.site.connection, **(known | more))
        return f"/log/taps/{event}"

    async def publish(self) -> None:
        await self.rights.publisher().publish_changes()


@pytest.fixture
async def house(site: Site, rights_site: RightsSite) -> House:
    await admin(site.connection, "ola")
    await site.connection.execute(
        "update account set name = 'Kari Nordmann' where id = %s", [rights_site.kari]
    )
    ((card,),) = await rights_site.rows("select id from access.card")
    await site.connection.execute(
        "update access.card set label = 'blue fob', created_at = '2026-03-03 12:00+00',"
        " created_by = (select id from account where username = 'ola')"
    )
    return House(site, rights_site, card)


async def test_a_tap_that_opened_says_on_what_it_rested(house: House):
    await house.publish()
    words = await house.page(await house.tapped())
    assert "Opened Front door ·" in words
    assert "Kari Nordmann · card “blue fob”" in words
    assert "yes: The card is known: it is Kari Nordmann’s, assigned 3 March" in words
    assert "by Ola" in words
    assert "yes: It was not marked lost" in words
    assert "yes: Circle: in one that Front door asks for" in words
    assert "yes: Membership: it held until" in words
    assert "on rights no. 1." in words
    assert "and were current." in words
    assert "The same rule today says yes." in words
    assert "Finding" not in words


async def test_a_card_without_a_right_is_explained_by_what_was_so_then_and_what_is_so_now(
    house: House,
):
    await house.rights.change(
        "update stripe_payment set start_date = '2026-01-01', end_date = '2026-02-01 12:00+00'"
    )
    await house.publish()
    path = await house.tapped("unknown_card")
    words = await house.page(path)
    assert "Refused Front door" in words
    assert "no: Membership: it ended 2 February" in words
    assert "the day of slack included" in words
    assert "yes: Circle: in one that Front door asks for" in words
    assert "The same rule today says no." in words
    assert "A payment: it works within a second." in words
    await makerspace.payment(house.site.connection, account=house.rights.kari)
    await house.publish()
    words = await house.page(path)
    assert "no: Membership: it ended 2 February" in words, "what was so then stays as it was"
    assert "The same rule today says yes." in words


async def test_pages_lead_on_to_what_helps_and_only_where_the_visitor_may_go(house: House):
    await house.rights.change("delete from circle_member where account = %s", house.rights.kari)
    await house.rights.change("delete from stripe_payment")
    await house.publish()
    path, kari = await house.tapped("unknown_card"), house.rights.kari
    door = makerspace.DOOR_CIRCLE
    hers = ["/me/membership", f"/circles/{door}"]
    admins = [f"/members/{kari}/payments", f"/circles/{door}"]
    for username, page, expected in (
        ("kari", path, [*hers, "/me/access"]),
        ("kari", "/me/access", hers),
        ("ola", path, [*admins, f"/members/{kari}/access", "/doors/front"]),
        ("ola", f"/members/{kari}/access", admins),
    ):
        browser = await house.site.browser(username)
        text = await (await browser.get(page)).text()
        actions = re.search(r'<p class="actions">(.*?)</p>', text, re.DOTALL)
        found = re.findall(r'href="([^"]*)"', actions.group(1) if actions else "")
        assert found == expected
        for led_to in found:
            assert (await browser.get(led_to)).status == 200, led_to


async def test_where_nothing_is_missing_no_step_is_offered(house: House):
    await house.publish()
    tapped = await house.tapped()
    assert "Open Front door once" not in await house.page(tapped), "it did open"
    assert "What would change it" not in await house.page("/me/access", "kari")


async def test_whoever_lacks_a_circle_is_told_whom_to_ask(house: House):
    await house.rights.change("delete from circle_member where account = %s", house.rights.kari)
    await house.publish()
    words = await house.page(await house.tapped("unknown_card"))
    assert "yes: Membership: it held until" in words
    assert "no: Circle: in none that Front door asks for (now “door”)" in words
    assert "Not in circle “door” For “door” ask Ola." in words


async def test_a_lost_card_says_so_and_asks_nothing_more(house: House):
    await house.rights.change("update access.card set lost_at = now() - interval '1 hour'")
    await house.publish()
    words = await house.page(await house.tapped("unknown_card"))
    assert "no: It was marked lost today" in words or "no: It was marked lost yesterday" in words
    assert "not asked: Membership: not asked any more" in words
    assert "The same rule today says no: this card is marked lost." in words


async def test_a_card_that_nobody_has_can_be_assigned_from_there(house: House):
    await house.publish()
    path = await house.tapped("unknown_card", account=None, card=None, site_digest=b"\x01" * 16)
    words = await house.page(path)
    assert "no: The card belongs to nobody" in words
    assert "Assign the card" in words


async def test_whose_a_card_is_by_now_is_told_to_whoever_sees_cards(house: House):
    await house.publish()
    per = await member(house.site.connection, "per", name="Per Vold")
    unknown = await house.tapped("unknown_card", account=None, card=None, site_digest=b"\x01" * 16)
    lost = await house.tapped("unknown_card")
    ((hers,),) = await house.rights.rows("select site_digest from access.card")
    for path, digest in ((unknown, b"\x01" * 16), (lost, hers)):
        await house.site.connection.execute("update access.card set lost_at = now()")
        await house.site.connection.execute(
            "insert into access.card (account, credential_type, site_digest)"
            " values (%s, 'em4100', %s)",
            [per, digest],
        )
        words = await house.page(path)
        assert "It is Per Vold’s card now, since today" in words
        assert "The same rule today says no." in words
        assert "Page of Per Vold" in words
        assert "Assign the card" not in words
    assert "Per Vold" not in await house.page(lost, "kari"), "nothing of another's card"


async def test_a_card_that_was_lost_and_given_to_her_again_is_not_lost_today(house: House):
    await house.publish()
    path = await house.tapped()
    await house.site.connection.execute("update access.card set lost_at = now()")
    assert "this card is marked lost" in await house.page(path)
    await house.site.connection.execute(
        "insert into access.card (account, credential_type, site_digest)"
        " select account, credential_type, site_digest from access.card"
    )
    for visitor in ("ola", "kari"):
        words = await house.page(path, visitor)
        assert "The same rule today says yes." in words
        assert "card now, since" not in words


async def test_an_answer_that_its_rights_do_not_give_is_a_finding(house: House):
    await house.rights.change("delete from circle_member where account = %s", house.rights.kari)
    await house.publish()
    words = await house.page(await house.tapped("allowed"))
    assert "Finding. The controller’s answer doesn’t follow from the rights" in words
    assert "It said: Opened. By those rights it had to be: Has no right here." in words


async def test_rights_that_were_not_the_newest_any_more_are_called_so(house: House):
    await house.publish()
    await house.rights.change("delete from circle_member where account = %s", house.rights.kari)
    await house.publish()
    words = await house.page(await house.tapped("allowed", serial=1))
    assert "and were not the newest any more" in words
    assert "yes: Circle: in one that Front door asks for" in words
    assert "Finding" not in words
    assert "Not in circle “door”" in words


async def test_what_was_not_kept_is_not_made_up(house: House):
    await house.rights.change("delete from circle_member where account = %s", house.rights.kari)
    await house.publish()
    await house.rights.change("update access.verdicts_kept set since = now() + interval '1 hour'")
    words = await house.page(await house.tapped("unknown_card"))
    assert "not kept: Membership: what held at that time was not kept" in words
    assert "not kept: Circle: what held at that time was not kept" in words
    words = await house.page(await house.tapped("expired", serial=99))
    assert "They are not kept any more" in words


async def test_damaged_rights_are_as_good_as_none(house: House):
    await house.publish()
    await house.rights.change("update access.snapshot set envelope = 'x'")
    assert "They are not kept any more" in await house.page(await house.tapped())


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("locked_down", "no: Locked down not asked: The card: not asked any more"),
        ("storage_fault", "no: The controller can't write to its storage"),
        ("random_uid", "no: The card shows another number each time"),
    ],
)
async def test_a_controllers_own_reasons_come_first(house: House, reason: str, words: str):
    await house.publish()
    page = await house.page(await house.tapped(reason, serial=None))
    assert words in page
    assert "The controller did not ask its rights." in page


async def test_a_yes_that_was_withdrawn_says_so_on_both_pages(house: House):
    await house.publish()
    granted = await house.tapped(tap_id="ab" * 16)
    withdrawn = await house.tapped("relay_fault", kind="access_withdrawn", tap_id="ab" * 16)
    assert "This yes was withdrawn afterwards" in await house.page(granted)
    words = await house.page(withdrawn)
    assert "Let in, but it did not open" in words
    assert "no: The relay did not move" in words


async def test_other_events_are_no_taps(house: House):
    event = await recorded.event(house.site.connection, kind="door_forced")
    await house.page(f"/log/taps/{event}", status=404)
    await house.page("/log/taps/999999999999999999", status=404)


async def test_her_own_taps_are_hers_and_others_are_for_the_front_desk(house: House):
    await member(house.site.connection, "per")
    await house.publish()
    path = await house.tapped()
    words = await house.page(path, "kari")
    assert "· you ·" in words
    assert "front-pi" not in words
    words = await house.page(path, "per", status=403)
    assert "members of the circle “admin”" in words
    assert "Kari" not in words
    await house.page("/log/taps/999999999999999999", "per", status=403)


async def test_lists_of_taps_lead_to_what_explains_them(house: House):
    await house.publish()
    path = await house.tapped()
    for page, username in (
        ("/", "ola"),
        ("/doors/front", "ola"),
        ("/me/history", "kari"),
        (f"/members/{house.rights.kari}/history", "ola"),
    ):
        browser = await house.site.browser(username)
        assert f'href="{path}"' in await (await browser.get(page)).text(), page
    browser = await house.site.browser("kari")
    assert path not in await (await browser.get("/")).text()


async def test_my_access_names_each_door_and_tool_with_why_and_what_is_missing(house: House):
    lab = await makerspace.circle(house.site.connection, name="lab")
    await makerspace.circle_member(house.site.connection, account=house.rights.kari, circle=lab)
    await makerspace.door(house.site.connection, key="attic", name="Attic", circles=())
    anne = await member(house.site.connection, "anne", name="Anne")
    masters = await makerspace.circle(house.site.connection, name="masters")
    await makerspace.circle_member(house.site.connection, account=anne, circle=masters)
    laser = await makerspace.circle(house.site.connection, name="laser", admin_circle=masters)
    await house.site.connection.execute(
        "insert into badge_description (created_at, created_by, updated_at, updated_by, title,"
        " certification_circle) values (now(), 3, now(), 3, 'Laser cutting', %s)",
        [masters],
    )
    await makerspace.tool(house.site.connection, name="Laser", circle=laser)
    await makerspace.tool(house.site.connection, name="Loom", circle=None)
    words = await house.page("/me/access", "kari")
    assert "Front door In circle “door”, works until" in words
    assert "Attic It has no circle: only employees of active companies can open it." in words
    assert "Laser Not in circle “laser”. For “laser” ask Anne: they award “Laser cutting”." in words
    assert "Loom It has no circle, so nobody can use it." in words
    assert words.index("Front door") < words.index("Attic") < words.index("Laser")


async def test_who_can_open_a_door_and_why(house: House):
    emil = await member(house.site.connection, "emil", name="Emil Ansatt")
    company = await makerspace.company(house.site.connection)
    await makerspace.employee(house.site.connection, account=emil, company=company)
    await member(house.site.connection, "per", name="Per Ikkemedlem")
    words = await house.page("/doors/front/people")
    assert "2 can now." in words
    assert "Emil Ansatt Works for an active company Yes" in words
    assert "Kari Nordmann In circle “door”, works until" in words
    assert "Per" not in words
    words = await house.page("/doors/front/people?q=per")
    assert "Per Ikkemedlem No membership. A payment" in words
    assert "Not in circle “door”. For “door” ask Ola." in words
    assert "Nobody’s name holds “xyz”" in await house.page("/doors/front/people?q=xyz")


async def test_who_can_use_a_tool_and_why(house: House):
    laser = await makerspace.tool(house.site.connection, name="Laser")
    assert "Kari Nordmann In circle “door”" in await house.page(f"/tools/{laser}/people")
    await house.page("/tools/999/people", status=404)
    await house.page("/doors/attic/people", status=404)
    await house.page(f"/doors/tool-{laser}/people", status=404)
    for path in (f"/tools/{laser}/people", "/doors/front/people"):
        await house.page(path, "kari", status=403)


async def test_what_somebody_can_open_is_on_her_page_for_the_front_desk_only(house: House):
    path = f"/members/{house.rights.kari}"
    assert "Can open Front door In circle “door”" in await house.page(path)
    assert "Can open" not in await house.page(path, "kari")
    await makerspace.door(house.site.connection, key="attic", name="Attic", circles=())
    assert "Not: Attic (It has no circle: only employees" in await house.page(path)
    words = await house.page(f"{path}/access")
    assert "Access of Kari Nordmann Front door In circle “door”" in words
    assert "An admin gives it a circle." in words
    await house.page(f"{path}/access", "kari", status=403)
    assert " Cards Access Membership " in await house.page("/me", "kari")


async def test_a_tap_by_a_clock_that_was_not_sure_is_explained_by_its_own_time(house: House):
    await house.publish()
    words = await house.page(await house.tapped(clock_trusted=False))
    assert "the controller's clock was not sure" in words
    assert "Finding" not in words
