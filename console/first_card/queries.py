"""SQL of claims to a first card, of taps that may answer one, and of doors that take them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.first_card.claim import Claim, Note, Tap


class ClaimRow(Struct, frozen=True):
    """A claim, with the names that pages show. `door_name` None: the door is gone.

    `is_asked`: she hasn't said whether the card was hers, and it still opens what she may open.
    """

    claim_id: int
    account_id: int
    person: str
    door: str
    door_name: str
    code: str
    began_at: datetime
    ends_at: datetime
    note: str | None
    outcome: str | None
    card: int | None
    is_asked: bool

    def claim(self) -> Claim:
        """For the rule."""
        return Claim(self.claim_id, self.account_id, self.door, self.began_at, self.ends_at)


class DoorRow(Struct, frozen=True):
    """A door where cards can be enrolled. `received_at`: when its controller reported last."""

    key: str
    name: str
    is_trusted: bool
    received_at: datetime | None


async def lock_claims(conn: Connection) -> None:
    """Nobody else begins, answers or ends a claim before the transaction is over."""
    await conn.execute("lock table access.card_claim in share row exclusive mode")


async def doors_for_first_cards(conn: Connection) -> list[DoorRow]:
    """The marked doors, by name."""
    async with conn.cursor(row_factory=class_row(DoorRow)) as cursor:
        await cursor.execute(
            """
            select d.key, d.name,
                   c.enrolled_at is not null and c.quarantined_at is null as is_trusted,
                   r.received_at
              from access.door d
              join access.controller c on c.id = d.controller
              left join access.controller_report r on r.controller = c.id
             where d.takes_first_cards and d.retired_at is null
             order by access.alphabetic(d.name), d.key
             limit 40
            """
        )
        return await cursor.fetchall()


async def is_marked(conn: Connection, *, key: str) -> bool:
    """Whether cards can be enrolled at this door."""
    cursor = await conn.execute(
        "select takes_first_cards and retired_at is null from access.door where key = %(key)s",
        {"key": key},
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def mark(conn: Connection, *, key: str, takes: bool) -> bool:
    """Marks a door for it, or takes the mark away; False: no controller of ours has such a door."""
    cursor = await conn.execute(
        """
        update access.door set takes_first_cards = %(takes)s
         where key = %(key)s and controller is not null
        """,
        {"key": key, "takes": takes},
    )
    return cursor.rowcount == 1


async def latest_claim(conn: Connection, *, account_id: int) -> ClaimRow | None:
    """What somebody claimed last."""
    rows = await _claims(conn, account_id=account_id, waiting_at=None, limit=1)
    return rows[0] if rows else None


async def waiting_claims(conn: Connection, *, now: datetime) -> list[ClaimRow]:
    """All that hold now: at each door one at most."""
    return await _claims(conn, account_id=None, waiting_at=now, limit=40)


async def _claims(
    conn: Connection, *, account_id: int | None, waiting_at: datetime | None, limit: int
) -> list[ClaimRow]:
    async with conn.cursor(row_factory=class_row(ClaimRow)) as cursor:
        await cursor.execute(
            """
            select c.id as claim_id, c.account as account_id,
                   coalesce(nullif(a.name, ''), a.username) as person, c.door,
                   d.name as door_name, c.code, c.began_at, c.ends_at, c.note, c.outcome, c.card,
                   c.answered_at is null and k.lost_at is null
                     and k.id is not null and b.card is null as is_asked
              from access.card_claim c
              join account a on a.id = c.account
              join access.door d on d.key = c.door
              left join access.card k on k.id = c.card and k.account = c.account
              left join access.break_glass_card b on b.card = k.id
             where (%(account_id)s::bigint is null or c.account = %(account_id)s)
               and (%(waiting_at)s::timestamptz is null
                    or (c.outcome is null and c.ends_at >= %(waiting_at)s))
             order by c.began_at desc, c.id desc
             limit %(limit)s
            """,
            {"account_id": account_id, "waiting_at": waiting_at, "limit": limit},
        )
        return await cursor.fetchall()


async def count_claims(conn: Connection, *, account_id: int, since: datetime) -> int:
    """How many somebody has begun since then."""
    cursor = await conn.execute(
        """
        select count(*) from access.card_claim
         where account = %(account_id)s and began_at > %(since)s
        """,
        {"account_id": account_id, "since": since},
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def add_claim(
    conn: Connection, *, account_id: int, door: str, code: str, now: datetime, holds: timedelta
) -> None:
    """From now on she waits at the door."""
    await conn.execute(
        """
        insert into access.card_claim (account, door, code, began_at, ends_at)
        values (%(account_id)s, %(door)s, %(code)s, %(now)s, %(ends_at)s)
        """,
        {
            "account_id": account_id,
            "door": door,
            "code": code,
            "now": now,
            "ends_at": now + holds,
        },
    )


async def has_or_had_a_card(conn: Connection, *, account_id: int) -> bool:
    """Whether there is any card of hers, lost ones included."""
    cursor = await conn.execute(
        "select exists (select from access.card where account = %(account_id)s)",
        {"account_id": account_id},
    )
    row = await cursor.fetchone()
    return row is None or bool(row[0])


async def was_ever_given(conn: Connection, *, site_digest: bytes) -> bool:
    """Whether the card is or was somebody's."""
    cursor = await conn.execute(
        "select exists (select from access.card where site_digest = %(site_digest)s)",
        {"site_digest": site_digest},
    )
    row = await cursor.fetchone()
    return row is None or bool(row[0])


async def taps_at_claims(conn: Connection, *, event_ids: Sequence[int]) -> list[Tap]:
    """Those of the events that came while somebody waited at their door."""
    async with conn.cursor(row_factory=class_row(Tap)) as cursor:
        await cursor.execute(
            """
            select e.id as event_id, e.point as door, e.kind, e.reason, e.account as account_id,
                   e.credential_type, e.happened_at as at, e.received_at, e.site_digest
              from access.event e
             where e.id = any(%(event_ids)s::bigint[])
               and exists (select from access.card_claim c
                            where c.door = e.point and c.outcome is null
                              and e.received_at between c.began_at and c.ends_at)
             order by e.id
            """,
            {"event_ids": list(event_ids)},
        )
        return await cursor.fetchall()


async def set_note(conn: Connection, *, claim_id: int, note: Note) -> None:
    """What was held to the reader meanwhile."""
    await conn.execute(
        "update access.card_claim set note = %(note)s where id = %(claim_id)s",
        {"claim_id": claim_id, "note": note},
    )


async def end_claim(
    conn: Connection, *, claim_id: int, outcome: str, card: int | None = None
) -> None:
    """It waits no longer."""
    await conn.execute(
        """
        update access.card_claim set outcome = %(outcome)s, card = %(card)s
         where id = %(claim_id)s and outcome is null
        """,
        {"claim_id": claim_id, "outcome": outcome, "card": card},
    )


async def give_up(conn: Connection, *, account_id: int) -> None:
    """Ends whatever somebody waits for."""
    await conn.execute(
        """
        update access.card_claim set outcome = 'given_up'
         where account = %(account_id)s and outcome is null and ends_at > now()
        """,
        {"account_id": account_id},
    )


async def answer(conn: Connection, *, account_id: int, claim_id: int) -> int | None:
    """She has said whether the card was hers; gives the card, which is locked.

    None: nobody asks her that.
    """
    await conn.execute(
        "select from access.card where account = %(account_id)s for update",
        {"account_id": account_id},
    )
    claim = await latest_claim(conn, account_id=account_id)
    if claim is None or claim.claim_id != claim_id or not claim.is_asked:
        return None
    await conn.execute(
        "update access.card_claim set answered_at = now() where id = %(claim_id)s",
        {"claim_id": claim_id},
    )
    return claim.card


async def name_card(conn: Connection, *, card: int, label: str) -> None:
    """Gives a card its first label; one that it has got by then stays."""
    await conn.execute(
        "update access.card set label = %(label)s where id = %(card)s and label = ''",
        {"card": card, "label": label},
    )


async def remove_card(conn: Connection, *, card: int, account_id: int) -> None:
    """Takes back that it is hers: it is an unknown card again, as if it had not been tapped.

    One that was tapped as hers by then counts as lost: somebody has used it.
    """
    taken_back = {"card": card, "account_id": account_id}
    await conn.execute(
        """
        delete from access.card where id = %(card)s
           and not exists (
             select from access.event where account = %(account_id)s and card = %(card)s)
        """,
        taken_back,
    )
    await conn.execute(
        "update access.card set lost_at = now(), lost_by = %(account_id)s where id = %(card)s",
        taken_back,
    )


async def claims_mark(conn: Connection) -> str:
    """A text that is another one whenever a claim begins, ends, or has news."""
    cursor = await conn.execute(
        """
        select md5(coalesce(string_agg(concat(id, outcome, note), ' ' order by id), '-'))
          from (select * from access.card_claim order by id desc limit 20) latest
        """
    )
    row = await cursor.fetchone()
    return "" if row is None else str(row[0])[:12]
