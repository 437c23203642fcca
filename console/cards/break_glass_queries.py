"""SQL of the break-glass cards: the few that work however old a controller's rights are."""

from dataclasses import dataclass

from psycopg.rows import class_row

from console.database import Connection


@dataclass(frozen=True, slots=True)
class BreakGlassRow:
    """A break-glass card in use, and whose it is."""

    card_id: int
    credential_type: str
    label: str
    account_id: int
    username: str
    name: str | None


async def break_glass_cards(conn: Connection) -> list[BreakGlassRow]:
    """All of them that are not lost."""
    async with conn.cursor(row_factory=class_row(BreakGlassRow)) as cursor:
        await cursor.execute(
            """
            select k.id as card_id, k.credential_type, k.label,
                   a.id as account_id, a.username, a.name
              from access.break_glass_card b
              join access.card k on k.id = b.card
              join account a on a.id = k.account
             where k.lost_at is null
             order by b.slot
            """
        )
        return await cursor.fetchall()
