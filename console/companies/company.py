"""A company as somebody wants it to be, and what can be wrong with it or with who works there.

Source: the contract of the old API, §7.
"""

from enum import Enum

from msgspec import Struct

NAME_CHARACTERS_MAX = 100
"""As long as the column is."""


class Draft(Struct, frozen=True):
    """What was asked for. `contact_id`: the account to turn to."""

    name: str
    contact_id: int
    is_active: bool


class Flaw(Enum):
    """Why a company can't be so."""

    NO_SUCH_CONTACT = "no such contact"
    NO_SUCH_COMPANY = "no such company"
    NAME_TAKEN = "name taken"


class Refused(Enum):
    """Why nobody was employed or dismissed."""

    NO_SUCH_COMPANY = "no such company"
    NO_SUCH_ACCOUNT = "no such account"
    ALREADY_EMPLOYED = "already employed"
    NOT_EMPLOYED = "not employed"
