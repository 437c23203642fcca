"""What some may see of Vera and others may not, each so that it can't be mistaken."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tests.walk.roles import ADMINS, FRONT_DESK, MEMBERS, MONEY, NO_ONE, Role

EMAIL = "vera-4fd1@secret.example"
PHONE = "+4791273645"
PHONE_BEFORE = "+4740017382"
CARD_LABEL = "violet-fob-77q"
LOST_CARD_LABEL = "lost-fob-81q"
BREAK_GLASS_LABEL = "glass-fob-93q"
AMOUNT = "73119.25"
FEE = 61753
PAID_UNTIL = "2041-07-19T10:00:00Z"
PAID_UNTIL_SLACK = "2041-07-20T10:00:00Z"
PAID_ONCE = "1991-02-03T10:00:00Z"
PAID_ONCE_UNTIL = "1991-03-05T10:00:00Z"
PAID_ONCE_SLACK = "1991-03-06T10:00:00Z"
FIRST_MEMBERSHIP = "1987-03-14T10:00:00Z"
REFUSED_AT = "2019-08-07T06:05:43Z"
UNKNOWN_CARD_AT = "2018-05-09T06:05:43Z"
COMMENT = "because-of-her-zeal-q3"
CONTROLLER = "zink-pi-q7"
SOFTWARE = "9.87.65-walk"
ORDER_REASON = "burst-pipe-q5"
WRITTEN_FROM = "203.0.113.99"
SESSION_ADDRESS = "198.51.100.77"
SESSION_BROWSER = "VeraBrowser/7.7"
PASSWORD_HASH = "$2b$12$verasverasverasverasverasverasverasverasverasverasv"
RESET_TOKEN = "7c0ffee7-0000-4000-8000-00000c0ffee7"
SITE_DIGEST = bytes.fromhex("5ec2e7" * 5 + "aa")
ENTRY_KEY = b"entry-key-secret" * 2
BROKER_PASSWORD = "PBKDF2$sha512$walk$q1$q2"
CUSTOMER = "cus_walk_q8"
INVOICE = "in_walk_q8"


@dataclass(frozen=True, slots=True)
class Secret:
    """`words`: each a way in which it could be shown. `may`: who may see it, Vera aside.

    `is_shown` False: no page shows it yet, or none ever will.
    """

    words: tuple[str, ...]
    may: frozenset[Role]
    is_shown: bool = True

    def is_in(self, text: str) -> bool:
        """Whether the text shows it."""
        return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in self.words)


def _day(moment: str, english: str, norwegian: str) -> tuple[str, ...]:
    return (moment[:10], english, norwegian)


SECRETS: Mapping[str, Secret] = MappingProxyType(
    {
        "e-mail": Secret((EMAIL,), FRONT_DESK),
        "phone": Secret((PHONE, PHONE[1:], PHONE[3:]), FRONT_DESK),
        "phone before, in the audit": Secret((PHONE_BEFORE, PHONE_BEFORE[3:]), ADMINS),
        "address of a writer, in the audit": Secret((WRITTEN_FROM,), ADMINS),
        "card label": Secret((CARD_LABEL,), FRONT_DESK),
        "label of a lost card": Secret((LOST_CARD_LABEL,), FRONT_DESK),
        "label of a break-glass card": Secret((BREAK_GLASS_LABEL,), FRONT_DESK),
        "amount of a payment": Secret((AMOUNT, AMOUNT.replace(".", ",")), MONEY),
        "fee": Secret((str(FEE),), MONEY),
        "paid until": Secret(
            (
                *_day(PAID_UNTIL, "19 July 2041", "19. juli 2041"),
                *_day(PAID_UNTIL_SLACK, "20 July 2041", "20. juli 2041"),
            ),
            FRONT_DESK | MONEY,
        ),
        "payment of long ago": Secret(
            (
                *_day(PAID_ONCE, "3 February 1991", "3. februar 1991"),
                *_day(PAID_ONCE_UNTIL, "5 March 1991", "5. mars 1991"),
                *_day(PAID_ONCE_SLACK, "6 March 1991", "6. mars 1991"),
            ),
            FRONT_DESK | MONEY,
        ),
        "member since": Secret(
            _day(FIRST_MEMBERSHIP, "14 March 1987", "14. mars 1987"), FRONT_DESK | MONEY
        ),
        "refused tap": Secret(_day(REFUSED_AT, "7 August 2019", "7. august 2019"), FRONT_DESK),
        "tap of an unknown card": Secret(
            _day(UNKNOWN_CARD_AT, "9 May 2018", "9. mai 2018"), FRONT_DESK
        ),
        "comment of a circle's membership": Secret((COMMENT,), MEMBERS),
        "controller": Secret((CONTROLLER,), ADMINS),
        "software of a controller": Secret((SOFTWARE,), ADMINS),
        "reason of an order": Secret((ORDER_REASON,), ADMINS, is_shown=False),
        "address of a session": Secret((SESSION_ADDRESS,), ADMINS),
        "browser of a session": Secret((SESSION_BROWSER,), ADMINS),
        "customer at Stripe": Secret((CUSTOMER,), MONEY, is_shown=False),
        "invoice at Stripe": Secret((INVOICE,), MONEY),
        "password hash": Secret((PASSWORD_HASH,), NO_ONE, is_shown=False),
        "token of a forgotten password": Secret((RESET_TOKEN,), NO_ONE, is_shown=False),
        "digest of a card": Secret((SITE_DIGEST.hex(),), NO_ONE, is_shown=False),
        "key of a controller": Secret(
            (ENTRY_KEY.hex(), ENTRY_KEY.decode()), NO_ONE, is_shown=False
        ),
        "password of a controller": Secret((BROKER_PASSWORD,), NO_ONE, is_shown=False),
    }
)
"""Whatever a page shows of these to anybody else is a leak."""
