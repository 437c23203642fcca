"""Of each card: how many controllers know what became of it; of a person: what she did."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from console.cards.reach import AtController, Reach, reach
from console.web import times
from tests.support import makerspace
from tests.support.console_app import Site, admin, member
from tests.support.recorded import event

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
CHANGED = NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("has_newest", "rights_from", "knows"),
    [
        (True, CHANGED - timedelta(days=3), True),
        (False, CHANGED + timedelta(seconds=1), True),
        (False, CHANGED - timedelta(seconds=1), False),
        (False, None, False),
    ],
    ids=["nothing changed for it", "made after", "made before", "never heard"],
)
def test_a_controller_knows_by_rights_from_after_the_change(
    has_newest: bool, rights_from: datetime | None, knows: bool
):
    at = AtController(("Front door",), NOW, has_newest, rights_from)
    assert reach(CHANGED, [at], NOW) == Reach(() if knows else (at,), 1)


def test_right_after_a_change_the_newest_rights_may_be_those_of_before():
    old = AtController(("Front door",), NOW, True, CHANGED)
    assert reach(NOW - timedelta(seconds=1), [old], NOW).waits == (old,)


def test_what_does_not_know_yet_is_told_by_its_doors_and_tools():
    back = AtController(("Back door", "Saw"), NOW, False, None)
    cellar = AtController(("Cellar",), NOW - timedelta(hours=2), False, None)
    attic = AtController(("Attic",), None, False, None)
    told = Reach((back, cellar, attic), 4).words(is_lost=True, now=NOW)
    heard = times.within_sentence(NOW - timedelta(hours=2), NOW)
    assert told == (
        "dead at 1 of 4 controllers, not yet at Back door, Saw,"
        f" Cellar (last heard {heard}), Attic (never heard)"
    )
    assert Reach((), 3).words(is_lost=True, now=NOW) == "dead at all 3 controllers"
    assert Reach((back,), 1).words(is_lost=True, now=NOW) == "not yet dead at Back door, Saw"
    assert Reach((back,), 1).words(is_lost=False, now=NOW).startswith("not yet up to date at Back")
    assert Reach((), 1).words(is_lost=False, now=NOW) == "up to date at the one controller"


async def test_a_persons_page_tells_where_a_lost_card_may_still_work_and_what_she_did(site: Site):
    connection = site.connection
    await admin(connection, "ola")
    kari = await member(connection, "kari", name="Kari Nordmann")
    await makerspace.circle_member(connection, account=kari)
    for n, key in enumerate(("back-pi", "front-pi")):
        await makerspace.controller(connection, key=key)
        await connection.execute(
            "update access.controller set public_key = 'p', entry_key = 'e',"
            " broker_password_hash = 'h', enrolled_at = now() where id = %s",
            [key],
        )
        for serial, age in ((1, "2 days"), (2, "1 hour")):
            await connection.execute(
                "insert into access.snapshot (controller, epoch, serial, digest, content_digest,"
                " made_at, envelope) values (%s, 1, %s, %s, 'c', now() - %s::interval, 'e')",
                [key, serial, bytes([serial]) * 32, age],
            )
        # The back door has been offline since before the loss.
        report = {"applied": {"digest": (bytes([1 + n]) * 32).hex()}}
        await connection.execute(
            "insert into access.controller_report values (%s, now(), %s::jsonb)",
            [key, json.dumps(report)],
        )
    await makerspace.door(connection)
    await makerspace.door(connection, key="back", name="Back door", controller="back-pi")
    card = await makerspace.card(connection, account=kari, label="blue fob", lost=True)
    await connection.execute("update access.card set lost_at = now() - interval '1 day'")
    await event(connection, kind="access_granted", account=kari, card=card, seconds_ago=60)
    ola = await site.browser("ola")
    text = await (await ola.get(f"/members/{kari}")).text()
    assert "dead at 1 of 2 controllers, not yet at Back door" in text
    assert f"/cards/{card}/reach" not in text, "what takes so long is not asked for again"
    assert "What happened" in text
    assert f"/members/{kari}/history" in text
    assert "In the circle door" in text
    her = await site.browser("kari")
    text = await (await her.get("/me")).text()
    assert "dead at 1 of 2 controllers, not yet at Back door" in text
    assert "back-pi" not in text
    assert "not yet at Back door" in await (await her.get(f"/cards/{card}/reach")).text()
    await member(connection, "liv")
    assert (await (await site.browser("liv")).get(f"/cards/{card}/reach")).status == 404
