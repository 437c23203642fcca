"""SQL of the break-glass cards: the few that work however old a controller's rights are."""

from dataclasses import dataclass, field

from psycopg.rows import class_row

from console.database import Connection
from sync.rights import BREAK_GLASS_MAX


@dataclass(frozen=True, slots=True)
class BreakGlassRow:
    """A break-glass card in use, and whose it is."""

    card_id: int
    credential_type: str
    label: str
    account_id: int
    username: str
    name: str | None
    site_digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CalledRow:
    """A card, by what its owner calls it."""

    card_id: int
    label: str


async def break_glass_cards(conn: Connection) -> list[BreakGlassRow]:
    """All of them that are not lost."""
    async with conn.cursor(row_factory=class_row(BreakGlassRow)) as cursor:
        await cursor.execute(
            """
            select k.id as card_id, k.credential_type, k.label,
                   a.id as account_id, a.username, a.name, k.site_digest
              from access.break_glass_card b
              join access.card k on k.id = b.card
              join account a on a.id = k.account
             where k.lost_at is null
             order by b.slot
            """
        )
        return await cursor.fetchall()


async def cards_in_use(conn: Connection, *, account_id: int) -> list[CalledRow]:
    """Somebody's cards that are not lost."""
    async with conn.cursor(row_factory=class_row(CalledRow)) as cursor:
        await cursor.execute(
            """
            select id as card_id, label
              from access.card
             where account = %(account_id)s and lost_at is null
             order by id
            """,
            {"account_id": account_id},
        )
        return await cursor.fetchall()


async def locked_in_use(conn: Connection, *, card: int) -> bool:
    """Whether the card is there and not lost, which nobody changes until the transaction ends."""
    cursor = await conn.execute(
        "select from access.card where id = %(card)s and lost_at is null for no key update",
        {"card": card},
    )
    return cursor.rowcount == 1


async def occupy(conn: Connection, *, card: int) -> bool:
    """Marks a card, if there is a place; those of lost cards, and of nobody's, become free."""
    await conn.execute("lock table access.break_glass_card in share row exclusive mode")
    await conn.execute(
        """
        delete from access.break_glass_card b
         using access.card k
         where k.id = b.card
           and (k.lost_at is not null
                or not exists (select from account a where a.id = k.account))
        """
    )
    cursor = await conn.execute(
        """
        insert into access.break_glass_card (slot, card)
        select slot, %(card)s
          from generate_series(1, %(most)s::int) as slot
         where slot not in (select slot from access.break_glass_card)
           and not exists (select from access.break_glass_card where card = %(card)s)
         order by slot
         limit 1
        """,
        {"card": card, "most": BREAK_GLASS_MAX},
    )
    if cursor.rowcount == 1:
        return True
    cursor = await conn.execute(
        "select from access.break_glass_card where card = %(card)s", {"card": card}
    )
    return cursor.rowcount == 1


async def free(conn: Connection, *, card: int) -> None:
    """Takes the mark away, where there is one."""
    await conn.execute("delete from access.break_glass_card where card = %(card)s", {"card": card})
