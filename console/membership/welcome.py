"""The letter to somebody who has begun to pay."""

from html import escape

from msgspec import Struct

from console.membership.queries import Subscriber


class Letter(Struct, frozen=True):
    """A mail without its addresses."""

    subject: str
    html: str


def welcome(new: Subscriber, *, association: str) -> Letter:
    """Welcomes a new subscriber in the name of the association."""
    house = escape(association)
    return Letter(
        subject=f"Welcome to {association}",
        html=(
            f"<p>Hi {escape(new.name or new.username)},</p>\n"
            f"<p>thank you for paying for {house}: members' fees pay the rent, keep the machines"
            " running and buy new ones.</p>\n"
            "<p>The fee is taken from your card at the beginning of each period. Your card and"
            " your membership can be changed on the membership page, where you log in as"
            f" <b>{escape(new.username)}</b>.</p>\n"
            f"<p>{house} is run by its members. Welcome!</p>\n"
        ),
    )
