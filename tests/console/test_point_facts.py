"""What the tables say of doors, tools and cards is what the controllers are told."""

import psycopg
import pytest

from sync.credential import entry
from sync.ids import PointKey, SiteDigest
from sync.rights import Assurance, PointKind
from tests.support import makerspace
from tests.support.site import DIGEST, RightsSite

NOON_MS = 1_780_484_400_000
"""Wednesday, 3 June 2026, 11:00 UTC."""
HOUR_MS = 3600 * 1000
FRONT, LASER = PointKey("front"), PointKey("laser")


@pytest.fixture
async def site(rights_site: RightsSite) -> RightsSite:
    """With a laser at the same controller, whose circle has nobody in it yet."""
    laser = await makerspace.circle(rights_site.connection, name="laser")
    tool = await makerspace.tool(rights_site.connection, circle=laser)
    await makerspace.tool_point(rights_site.connection, tool=tool)
    return rights_site


async def test_a_door_tells_how_old_its_rights_may_be_and_what_a_card_must_be(site: RightsSite):
    await site.publisher().publish_changes()
    (first,) = site.snapshots()
    assert first.points[FRONT].soft_seconds == 24 * 3600
    assert first.points[FRONT].hard_seconds == 7 * 24 * 3600
    assert not first.points[FRONT].requires_fresh
    await site.change(
        "update access.door set soft_seconds = 3600, hard_seconds = 7200, requires_fresh = true,"
        " min_assurance = 1"
    )
    await site.publisher().publish_changes()
    point = site.snapshots()[-1].points[FRONT]
    assert (point.soft_seconds, point.hard_seconds) == (3600, 7200)
    assert (point.requires_fresh, point.min_assurance) == (True, Assurance.UID_AND_SECOND_FACTOR)


async def test_open_hours_are_windows_and_next_week_is_a_change(site: RightsSite):
    await site.change(
        "insert into access.open_hours values ('front', 4, 1080, 1320), ('front', 3, 720, 780)"
    )
    next_monday_ms = NOON_MS + (13 + 4 * 24) * HOUR_MS
    assert await site.publisher(lambda: NOON_MS).publish_changes() == next_monday_ms
    (snapshot,) = site.snapshots()
    first, second, *later = snapshot.points[FRONT].open_hours
    assert (first.start_ms, first.end_ms) == (NOON_MS + HOUR_MS, NOON_MS + 2 * HOUR_MS - 1)
    assert second.start_ms == NOON_MS + 31 * HOUR_MS
    assert len(later) == 6
    await site.publisher(lambda: next_monday_ms - 1).publish_changes()
    assert len(site.snapshots()) == 1
    await site.publisher(lambda: next_monday_ms).publish_changes()
    assert site.snapshots()[-1].points[FRONT].open_hours[-1].start_ms > later[-1].start_ms


async def test_whoever_is_in_a_tools_circle_and_pays_may_use_it(site: RightsSite):
    key = entry(site.bundle.entry_key, SiteDigest(DIGEST))
    await site.publisher().publish_changes()
    assert site.snapshots()[-1].points[LASER].kind is PointKind.TOOL
    assert site.snapshots()[-1].entries[key].points == {"front"}
    await makerspace.circle_member(site.connection, account=site.kari, circle="laser")
    await site.publisher().publish_changes()
    assert site.snapshots()[-1].entries[key].points == {"front", "laser"}
    await site.change("update tool_description set circle = null")
    await site.publisher().publish_changes()
    assert site.snapshots()[-1].entries[key].points == {"front"}


async def test_a_tool_that_was_deleted_is_gone_from_the_rights(site: RightsSite):
    await site.change("delete from tool_description")
    await site.publisher().publish_changes()
    assert set(site.snapshots()[-1].points) == {"front"}


async def test_a_break_glass_card_is_marked_and_no_other(site: RightsSite):
    plain = await makerspace.card(site.connection, account=site.kari)
    await site.change(
        "insert into access.break_glass_card (slot, card)"
        " select 5, id from access.card where id <> %s",
        plain,
    )
    await site.publisher().publish_changes()
    entries = site.snapshots()[-1].entries
    marked = [key for key, right in entries.items() if right.is_break_glass]
    assert len(entries) == 2
    assert marked == [entry(site.bundle.entry_key, SiteDigest(DIGEST))]


async def test_a_sixth_break_glass_card_has_no_place(site: RightsSite):
    cards = [await makerspace.card(site.connection, account=site.kari) for _ in range(6)]
    for slot, card in enumerate(cards[:5], start=1):
        await site.change(
            "insert into access.break_glass_card (slot, card) values (%s, %s)", slot, card
        )
    for slot in (0, 6, 3):
        with pytest.raises(psycopg.IntegrityError):
            await site.change(
                "insert into access.break_glass_card (slot, card) values (%s, %s)", slot, cards[5]
            )


@pytest.mark.parametrize(
    "change",
    [
        "update access.door set soft_seconds = 7200, hard_seconds = 7199",
        "update access.door set soft_seconds = 0",
        "update access.door set hard_seconds = 91 * 86400",
        "update access.door set min_assurance = 3",
        "insert into access.open_hours values ('front', 8, 0, 60)",
        "insert into access.open_hours values ('front', 1, 60, 60)",
        "insert into access.open_hours values ('front', 1, 60, 1501)",
        "insert into access.tool_point (key, tool, controller) values ('L', 1, 'front-pi')",
    ],
)
async def test_what_no_controller_could_take_has_no_place_in_the_tables(
    site: RightsSite, change: str
):
    with pytest.raises(psycopg.IntegrityError):
        await site.connection.execute(change.encode())
