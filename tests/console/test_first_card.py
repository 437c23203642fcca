"""A member enrols her first card by herself: which tap counts, and what leaves it nobody's."""

import html
import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import pytest
from aiohttp import ClientResponse

from console.database import Database
from console.events.ingest import Ingester
from console.first_card.claim import Claim, Doubt, Note, Take, Tap, Tell, Weighed, weigh
from console.first_card.enrolling import FirstCards
from console.rights.facts import Controller
from console.web import times
from sync.credential import CredentialType
from sync.events import EventKind, Occurrence
from sync.ids import PointKey, SiteDigest, TapId
from sync.rights import Reason
from sync.sealing import seal
from tests.support import console_app, makerspace
from tests.support.console_app import Client, Site
from tests.support.controller_stand_in import JournalStandIn
from tests.support.recorded import event
from tests.support.site import as_facts, enrolled, new_site_keys
from tests.support.streams import streaming

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
CLAIM = Claim(1, 7, "front", NOON, NOON + timedelta(seconds=60))
CARD, OTHER = b"c" * 16, b"o" * 16
TAKEN = Take("em4100", CARD)


def tap(
    after: float = 10, *, arrives: float | None = None, digest: bytes | None = CARD, **changes: Any
) -> Tap:
    at = NOON + timedelta(seconds=after)
    plain = Tap(
        *(1, "front", EventKind.ACCESS_DENIED, Reason.UNKNOWN_CARD, None, "em4100"),
        at=at,
        received_at=at if arrives is None else NOON + timedelta(seconds=arrives),
        site_digest=digest,
    )
    return replace(plain, **changes)


def test_an_unknown_card_at_the_door_within_the_minute_is_taken():
    assert weigh(CLAIM, [tap()]) == TAKEN
    assert weigh(CLAIM, [tap(0)]) == TAKEN
    assert weigh(CLAIM, [tap(60)]) == TAKEN
    assert weigh(CLAIM, [tap(5), tap(6)]) == TAKEN, "the same card twice"


@pytest.mark.parametrize(
    "no",
    [
        tap(-1, arrives=5),
        tap(61),
        tap(20, arrives=61),
        tap(20, arrives=-1),
        tap(door="back"),
        tap(door=None),
        tap(digest=None),
        tap(credential_type=None),
        tap(reason=Reason.LOCKED_DOWN),
        tap(reason=None),
        tap(kind=EventKind.ACCESS_GRANTED),
    ],
    ids=[
        *("before it", "after it", "arrives late", "arrives early", "elsewhere", "nowhere"),
        *("no number", "no type", "locked down", "no reason", "granted"),
    ],
)
def test_any_other_tap_is_nobodys(no: Tap):
    assert weigh(CLAIM, [no]) is None


@pytest.mark.parametrize(
    ("other", "weighed"),
    [
        (tap(account_id=8), Tell(Note.LOST)),
        (tap(account_id=8, reason=Reason.NO_RIGHT, digest=None), Tell(Note.TAKEN)),
        (tap(account_id=8, kind=EventKind.ACCESS_GRANTED, reason="allowed"), Tell(Note.TAKEN)),
        (tap(reason=Reason.RANDOM_UID, digest=None), Tell(Note.RANDOM)),
        (tap(reason=Reason.RANDOM_UID, account_id=8, door="back"), None),
    ],
    ids=["lost", "somebody's", "let in", "a phone", "elsewhere"],
)
def test_what_is_held_there_instead_is_told(other: Tap, weighed: Weighed):
    assert weigh(CLAIM, [other]) == weighed
    assert weigh(CLAIM, [other, tap()]) == TAKEN


def test_two_unknown_cards_at_once_are_a_doubt():
    assert weigh(CLAIM, [tap(), tap(digest=OTHER)]) == Doubt()


@dataclass
class House:
    """A marked door with a controller that answers, and Kari without a card."""

    site: Site
    database: Database
    ingester: Ingester
    controller: Controller
    journal: JournalStandIn
    sealing_public: bytes
    kari: int
    browser: Client

    async def rows(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        return await (await self.site.connection.execute(statement, values)).fetchall()

    async def do(self, statement: LiteralString, *values: object) -> None:
        await self.site.connection.execute(statement, values)

    async def cards(self) -> list[tuple[Any, ...]]:
        return await self.rows("select account, created_by, label from access.card order by id")

    async def tap(
        self,
        digest: bytes = CARD,
        *,
        seconds: float = 0,
        trusted: bool = True,
        door: str = "front",
        is_sent: bool = True,
    ) -> None:
        """An unknown card is held to the reader, so long from now, and its event arrives now."""
        moment = times.now() + timedelta(seconds=seconds)
        self.journal.time_ms = int(moment.timestamp() * 1000) - 1000
        first = len(self.journal.lines) + 1
        self.journal.record(
            Occurrence(
                EventKind.ACCESS_DENIED,
                point=PointKey(door),
                tap=TapId(secrets.token_hex(16)),
                sealed=seal(
                    SiteDigest(digest), self.sealing_public, ephemeral_seed=secrets.token_bytes(32)
                ),
                credential=CredentialType.EM4100,
                assurance=0,
                reason=Reason.UNKNOWN_CARD,
            ),
            trusted=trusted,
        )
        if is_sent:
            await self.ingester.ingest(self.controller, self.journal.batch(first))

    async def post(self, path: str, **fields: str) -> ClientResponse:
        return await self.browser.post(f"/me/cards/first{path}", data=fields, allow_redirects=False)

    async def page(self) -> str:
        return await text(await self.browser.get("/me/cards"))


async def text(answer: ClientResponse) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", await answer.text())).split())


@pytest.fixture
async def house(site: Site, database: Database, tmp_path: Path) -> House:
    keys = new_site_keys(tmp_path)
    bundle = await enrolled(database, keys, tmp_path)
    await makerspace.door(site.connection)
    await site.connection.execute(
        "insert into access.controller_report values ('front-pi', now(), '{}')"
    )
    await site.connection.execute("update access.door set takes_first_cards = true")
    kari = await console_app.member(site.connection, "kari", name="Kari Nordmann")
    await console_app.admin(site.connection, "ola")
    journal = JournalStandIn(bundle.controller, bundle.entry_key, keys.sealing_public_key)
    ingester = Ingester(database, keys, now=times.now, hears=FirstCards(database))
    browser = await site.browser("kari")
    return House(
        site, database, ingester, as_facts(bundle), journal, keys.sealing_public_key, kari, browser
    )


async def test_she_presses_holds_her_card_there_and_says_that_it_is_hers(house: House):
    assert "No card yet. Add my first card" in await text(await house.browser.get("/me"))
    assert "Add my first card At Front door." in await house.page()
    assert (await house.post("", door="front")).status == 303
    page = await house.page()
    assert "Hold your card to the reader of Front door now" in page
    ((code, claim),) = await house.rows("select code, id from access.card_claim")
    assert f"Your code {code}" in page
    assert re.search("The minute ends in [0-9]+ s", page)
    await house.tap()
    assert await house.cards() == [(house.kari, house.kari, "")]
    page = await house.page()
    assert "Was this your card, at Front door?" in page
    assert (
        await house.post("/answer", claim=str(claim), mine="yes", label="blue fob")
    ).status == 303
    assert await house.cards() == [(house.kari, house.kari, "blue fob")]
    page = await house.page()
    assert "Was this your card" not in page
    assert "an admin assigns it. Ask Ola (circle “admin”)." in page


async def test_in_the_audit_she_has_assigned_it_herself(house: House):
    await house.post("", door="front")
    await house.tap()
    assert await house.rows(
        "select actor, account, doing, operation from access.audit where place = 'access.card'"
    ) == [(house.kari, house.kari, "first card at a door", "added")]


async def test_a_card_that_was_not_hers_is_nobodys_again(house: House):
    await house.post("", door="front")
    await house.tap()
    ((claim,),) = await house.rows("select id from access.card_claim")
    for _ in range(2):
        assert (await house.post("/answer", claim=str(claim), mine="no")).status == 303
    assert await house.cards() == []
    assert "Add my first card" in await house.page()
    await house.tap()
    assert await house.cards() == []
    assert await house.rows("select id from access.event where site_digest is not null")


@pytest.mark.parametrize(
    "change",
    [
        "update access.card set lost_at = now()",
        "insert into access.break_glass_card (slot, card) select 1, id from access.card",
    ],
)
async def test_of_a_card_that_is_lost_or_opens_everything_by_then_she_is_not_asked(
    house: House, change: LiteralString
):
    await house.post("", door="front")
    await house.tap()
    await house.do(change)
    assert "Was this your card" not in await house.page()
    ((claim,),) = await house.rows("select id from access.card_claim")
    for mine in ("no", "yes"):
        await house.post("/answer", claim=str(claim), mine=mine, label="blue fob")
    assert await house.cards() == [(house.kari, house.kari, "")]


async def test_a_card_that_was_used_by_then_is_lost_and_not_forgotten(house: House):
    await house.post("", door="front")
    await house.tap()
    ((claim, card),) = await house.rows("select id, card from access.card_claim")
    await event(house.site.connection, account=house.kari, card=card)
    await house.post("/answer", claim=str(claim), mine="no")
    assert await house.rows("select lost_by from access.card where lost_at is not null") == [
        (house.kari,)
    ]
    assert "Add my first card" not in await house.page(), "she asks an admin for another one"


async def test_a_label_that_the_card_has_by_then_stays(house: House):
    await house.post("", door="front")
    await house.tap()
    await house.do("update access.card set label = 'blue fob'")
    ((claim,),) = await house.rows("select id from access.card_claim")
    await house.post("/answer", claim=str(claim), mine="yes", label="")
    assert await house.cards() == [(house.kari, house.kari, "blue fob")]
    assert "Was this your card" not in await house.page()


async def test_without_a_trusted_clock_the_arrival_counts(house: House):
    await house.post("", door="front")
    await house.tap(trusted=False, seconds=-9000)
    assert await house.cards() == [(house.kari, house.kari, "")]


async def test_a_tap_of_before_after_or_elsewhere_assigns_nothing(house: House):
    await house.post("", door="front")
    await house.tap(seconds=-5)
    await house.tap(seconds=90)
    await house.tap(door="back")
    await house.do(
        "update access.card_claim set began_at = began_at - interval '2 minutes',"
        " ends_at = ends_at - interval '2 minutes'"
    )
    await house.tap()
    await house.tap(trusted=False)
    assert await house.cards() == []
    assert "The minute is over, and no new card was read. Try again." in await house.page()


async def test_a_card_that_is_or_was_somebodys_stays_so_and_that_is_told(house: House):
    ola = (await house.rows("select id from account where username = 'ola'"))[0][0]
    lost = await makerspace.card(house.site.connection, account=ola, site_digest=CARD, lost=True)
    await house.post("", door="front")
    await house.tap()
    assert "was somebody's who lost it" in await house.page()
    await house.do("update access.card set lost_at = null where id = %s", lost)
    await house.tap()
    assert [card[0] for card in await house.cards()] == [ola]


async def test_a_card_that_was_somebodys_by_the_time_it_is_weighed_stays_so(house: House):
    await house.post("", door="front")
    await makerspace.card(house.site.connection, account=3, site_digest=CARD, lost=True)
    seen = await event(
        house.site.connection,
        kind="access_denied",
        reason="unknown_card",
        site_digest=CARD,
        seconds_ago=0,
    )
    await FirstCards(house.database).tapped([seen])
    assert [card[0] for card in await house.cards()] == [3]


async def test_the_number_of_a_phone_is_refused_and_that_is_told(house: House):
    await house.post("", door="front")
    house.journal.time_ms = int(times.now().timestamp() * 1000) - 1000
    house.journal.record(
        Occurrence(
            EventKind.ACCESS_DENIED,
            point=PointKey("front"),
            tap=TapId("0" * 32),
            reason=Reason.RANDOM_UID,
        )
    )
    await house.ingester.ingest(house.controller, house.journal.batch())
    assert "That was a phone or a passport" in await house.page()
    assert await house.cards() == []


async def test_two_cards_in_one_delivery_are_given_to_nobody(house: House):
    await house.post("", door="front")
    await house.tap(CARD, is_sent=False)
    await house.tap(OTHER, is_sent=False)
    await house.ingester.ingest(house.controller, house.journal.batch())
    assert await house.cards() == []
    assert "Several new cards were held to the reader" in await house.page()


async def test_the_second_who_waits_at_a_door_is_refused(house: House):
    await console_app.member(house.site.connection, "per")
    per = await house.site.browser("per")
    await house.post("", door="front")
    answer = await per.post("/me/cards/first", data={"door": "front"})
    assert answer.status == 422
    assert "Somebody else is enrolling a card there. Try again in a minute." in await text(answer)
    assert (await house.post("", door="front")).status == 303, "twice by the same is once"
    assert len(await house.rows("select id from access.card_claim")) == 1
    await house.post("/end")
    answer = await per.post("/me/cards/first", data={"door": "front"}, allow_redirects=False)
    assert answer.status == 303
    await house.tap()
    assert [card[0] for card in await house.cards()] != [house.kari]


async def test_two_claims_at_one_door_however_they_came_are_a_doubt(house: House):
    await house.post("", door="front")
    await house.do(
        "insert into access.card_claim (account, door, code, began_at, ends_at)"
        " select 3, door, '0000', began_at, ends_at from access.card_claim"
    )
    await house.tap()
    assert await house.cards() == []


@pytest.mark.parametrize("lost", [False, True], ids=["in use", "lost"])
async def test_whoever_has_or_had_a_card_asks_an_admin(house: House, lost: bool):
    await house.post("", door="front")
    await makerspace.card(house.site.connection, account=house.kari, lost=lost)
    await house.tap()
    assert len(await house.cards()) == 1
    answer = await house.post("", door="front")
    assert answer.status == 422
    assert "You have a card already, or had one. Ask an admin" in await text(answer)
    assert "Add my first card" not in await house.page()


async def test_a_door_that_is_not_marked_or_does_not_answer_takes_no_card(house: House):
    await makerspace.door(house.site.connection, key="back", name="Back door")
    for door in ("back", "nowhere", ""):
        answer = await house.post("", door=door)
        assert answer.status == 422
        assert "Cards can't be enrolled at this door." in await text(answer)
    await house.do("update access.controller_report set received_at = now() - interval '1 hour'")
    assert "Front door doesn't answer now" in await text(await house.post("", door="front"))
    await house.do("update access.door set takes_first_cards = false")
    assert "Ask Ola (circle “admin”)." in await house.page()


async def test_a_door_that_lost_its_mark_meanwhile_assigns_nothing(house: House):
    await house.post("", door="front")
    await house.do("update access.door set takes_first_cards = false")
    await house.tap()
    assert await house.cards() == []


async def test_trying_too_often_is_refused(house: House):
    for _ in range(10):
        assert (await house.post("", door="front")).status == 303
        await house.post("/end")
    answer = await house.post("", door="front")
    assert answer.status == 422
    assert "often enough for an hour" in await text(answer)


async def test_an_admin_marks_a_door_and_sees_who_enrols_there(house: House):
    ola = await house.site.browser("ola")
    await house.do("update access.door set takes_first_cards = false")
    assert "Cards are not enrolled here." in await text(await ola.get("/doors/front"))
    await ola.post("/doors/front/first-cards", data={"takes": "yes"})
    assert "can enrol their first one here" in await text(await ola.get("/doors/front"))
    assert await house.rows(
        "select new from access.audit where place = 'access.door' and operation = 'changed'"
    ) == [({"takes_first_cards": True},)]
    await house.post("", door="front")
    ((code,),) = await house.rows("select code from access.card_claim")
    told = f"Kari Nordmann enrols a first card at Front door, code {code}"
    for path in ("/doors", "/doors/front"):
        assert told in await text(await ola.get(path))
    assert (await ola.post("/doors/front/first-cards", data={"takes": "maybe"})).status == 400
    assert (await ola.post("/doors/nowhere/first-cards", data={"takes": "yes"})).status == 404


async def test_her_page_and_the_admins_hear_of_it_at_once(house: House):
    ola = await house.site.browser("ola")
    async with streaming(house.browser) as hers, streaming(ola) as admins:
        await hers.until("event: claims")
        await admins.until("event: enrolling")
        await house.post("", door="front")
        assert "Kari Nordmann" not in await hers.until("event: claims")
        await admins.until("event: enrolling", "Kari Nordmann enrols a first card")
        await house.tap()
        await hers.until("event: claims")


async def test_what_no_form_of_ours_sends_is_refused(house: House):
    for fields in ({}, {"claim": "x", "mine": "yes"}, {"claim": "1", "mine": "perhaps"}):
        assert (await house.post("/answer", **fields)).status == 422
    assert (await house.post("/answer", claim="1", mine="no")).status == 303
