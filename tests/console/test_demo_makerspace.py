"""The demo's made-up makerspace, on a real database: what it promises is what the rule says."""

from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pytest

from console.database import Database
from console.demo.makerspace import BADGES, LOGINS, POINTS, TABLE_CARDS, credential_of
from console.demo.people import PEOPLE
from console.demo.prepare import Premises, make_history, make_members, make_point
from console.demo.queries import CardRow
from console.rights import queries as rights
from console.rights.derive import derive
from sync.bundle import decode_bundle
from sync.credential import entry, site_digest
from sync.rights import Assurance, Moment, decide
from tests.support.site import new_site_keys


@dataclass(frozen=True)
class Filled:
    site: Premises
    cards: list[CardRow]
    bundles: list[bytes]


@pytest.fixture
async def filled(database: Database, tmp_path: Path) -> Filled:
    site = Premises(database, new_site_keys(tmp_path), "p2k16")
    cards = await make_members(site, PEOPLE, password_hash="$2b$12$" + "." * 53)
    bundles: list[bytes] = []
    for point in POINTS:
        bundle = tmp_path / f"{point.key}.json"
        await make_point(site, point, broker_port=1883, bundle=bundle)
        bundles.append(bundle.read_bytes())
    return Filled(site, cards, bundles)


async def test_each_card_on_the_table_opens_and_powers_what_its_story_promises(filled: Filled):
    site = filled.site
    now_ms = int(site.now.timestamp() * 1000)
    async with site.database.reading() as conn:
        contents = derive(await rights.facts(conn, now_ms=now_ms), now_ms, UTC).contents
    for card in TABLE_CARDS:
        digest = site_digest(credential_of(card.username, card.number), site.keys.site_salt)
        opens: set[str] = set()
        for point, bundle in zip(POINTS, map(decode_bundle, filled.bundles), strict=True):
            content = contents[point.controller]
            right = content.entries.get(entry(bundle.entry_key, digest))
            moment = Moment(now_ms, is_trusted=True)
            if decide(content.points[point.key], right, Assurance.UID, moment).is_allowed:
                opens.add(point.key)
        assert opens == card.opens, card.key


async def test_the_month_of_taps_has_become_events_openings_and_first_badges(filled: Filled):
    await make_history(filled.site, PEOPLE, filled.cards, filled.bundles)
    async with filled.site.database.reading() as conn:

        async def counted(what: str) -> int:
            cursor = await conn.execute(b"select count(*) from " + what.encode())
            row = await cursor.fetchone()
            assert row is not None
            return int(row[0])

        granted = await counted("access.event where kind = 'access_granted'")
        assert granted > 300
        assert await counted("event where domain = 'door' and name = 'open'") == granted
        assert await counted("access.event where kind = 'access_denied'") > 20
        assert await counted("access.event where not clock_trusted") == 0
        assert await counted("access.event where happened_at > now()") == 0
        assert await counted("access.event where site_digest is not null") >= 1
        visitors = await counted("(select distinct created_by from event where domain = 'door') v")
        given = sum(len(badge.holders) for badge in BADGES)
        assert await counted("account_badge") == visitors + given > 20
        untold = "access.event where kind like 'access_%' and serial is null"
        assert await counted(untold) == 0, "each says on which rights it was decided"
        kept = "access.snapshot s where e.controller = s.controller and e.serial = s.serial"
        assert await counted(f"access.event e where not exists (select from {kept})") == len(POINTS)
        lost = "access.event e join access.card c on c.id = e.card and c.lost_at < e.happened_at"
        assert await counted(f"{lost} where e.kind = 'access_granted'") == 0
        assert await counted("account where password is not null") == len(LOGINS)
