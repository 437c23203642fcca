"""The made-up makerspace: its circles, companies, doors, a saw, and the cards on the table.

Values only; people are in `people.py`. Everything is as it would be in a real space, with one of
each case that matters at a door. How it gets into the database is for `seed.py`.
"""

import hashlib
from enum import Enum, auto

from msgspec import Struct

from sync.credential import Credential, CredentialType
from sync.ids import ControllerId, PointKey

PASSWORD = "makerspace"  # noqa: S105 printed at the start, for people who exist nowhere else
LOGINS = {
    "anne": "an admin: circles, cards, doors",
    "ingrid": "a member who pays",
    "siobhan": "a member whose payment ended last month",
    "aase": "an instructor: looks after the saw, awards badges",
    "thi.mai": "the front desk: sees people, their cards and membership",
    "zofia": "the treasurer: sees money",
}
"""Who can log in, and as what. Nobody else has a password."""


class Pays(Enum):
    """What a person has paid. Each but NEVER and FREE also has the months before."""

    MONTHLY = auto()
    """Up to a day of next month."""
    UNTIL_A_MOMENT_AGO = auto()
    """The period ended some hours ago, so the day of slack is running."""
    UNTIL_LAST_MONTH = auto()
    FROM_NEXT_WEEK = auto()
    """A first payment, whose period has not begun."""
    FREE = auto()
    """A current payment of nothing, which is no payment."""
    NEVER = auto()


class Habit(Enum):
    """When somebody uses to come."""

    EVENINGS = auto()
    OFFICE_HOURS = auto()
    WEEKENDS = auto()
    NIGHTS = auto()


class Card(Struct, frozen=True):
    """A card of somebody's. `lost_days_ago` None: she has it."""

    label: str
    lost_days_ago: float | None = None


class Person(Struct, frozen=True):
    """A member. The order of the cards is that in which she got them."""

    username: str
    name: str
    pays: Pays = Pays.MONTHLY
    circles: tuple[str, ...] = ("door",)
    visits_a_week: float = 1.0
    habit: Habit = Habit.EVENINGS
    cards: tuple[Card, ...] = (Card("white card"),)
    company: str | None = None


class Circle(Struct, frozen=True):
    """A circle beyond those of every database. `admin` None: it administers itself."""

    name: str
    description: str
    admin: str | None


class Badge(Struct, frozen=True):
    """A badge, who awards it (None: everybody), and who has it from `giver`."""

    title: str
    description: str
    circle: str | None
    giver: str
    holders: tuple[str, ...]


class Company(Struct, frozen=True):
    """A company and whether its employees have access."""

    name: str
    is_active: bool
    contact: str


class Door(Struct, frozen=True):
    """A door, its controller, and the circles whose members may open it."""

    key: PointKey
    name: str
    controller: ControllerId
    circles: tuple[str, ...]
    open_seconds: int


class Tool(Struct, frozen=True):
    """A tool, its controller, and the circle whose members may use it."""

    key: PointKey
    name: str
    controller: ControllerId
    circle: str


class TableCard(Struct, frozen=True):
    """A card on the table of the demo: whose (None: nobody's), which of hers, and its story.

    `opens`: the doors and tools that the story promises, as of the start.
    """

    key: str
    username: str | None
    number: int
    colour: str
    story: str
    opens: frozenset[str]


FRONT, WORKSHOP, SAW = PointKey("front"), PointKey("workshop"), PointKey("saw")

DOORS = (
    Door(FRONT, "Front door", ControllerId("front-pi"), ("door",), 8),
    Door(WORKSHOP, "Workshop", ControllerId("workshop-pi"), ("workshop",), 8),
)
TOOLS = (Tool(SAW, "Table saw", ControllerId("saw-pi"), "table-saw"),)
POINTS = (*DOORS, *TOOLS)
"""Each has a controller of its own."""

FRONT_DESK, TREASURERS, INSTRUCTORS = "front desk", "treasurers", "instructors"
"""Circles that give a role."""

CIRCLES = (
    Circle("workshop", "Workshop access, after the safety evening", "admin"),
    Circle(INSTRUCTORS, "Teach the machines, and say who may use them", "admin"),
    Circle("table-saw", "The table saw, after an evening with it", INSTRUCTORS),
    Circle("3d-printer", "3D printers", INSTRUCTORS),
    Circle("textile", "Sewing and embroidery machines", "admin"),
    Circle("board", "The board", None),
    Circle(FRONT_DESK, "Helps people, and sees all about them", "admin"),
    Circle(TREASURERS, "See money", "admin"),
)

BADGES = (
    Badge("Table saw", "An evening with the saw", INSTRUCTORS, "aase", ("oyvind",)),
    Badge("First aid", "A course within two years", None, "ingrid", ("anne", "ingrid")),
)

COMPANIES = (
    Company("Nordlys Robotics AS", is_active=True, contact="mehmet"),
    Company("Fjord & Fabel DA", is_active=False, contact="jurgita"),
)

_BOTH, _NONE = frozenset({"front", "workshop"}), frozenset[str]()
_ALL = _BOTH | {"saw"}

TABLE_CARDS = (
    TableCard("ingrid", "ingrid", 0, "blue", "Pays, and is in circle door", frozenset({"front"})),
    TableCard("aase", "aase", 0, "green", "Pays; circles door, workshop, table-saw", _ALL),
    TableCard("mehmet", "mehmet", 0, "violet", "Works for a company that is active", _BOTH),
    TableCard("oyvind", "oyvind", 0, "amber", "A day of slack to pay; circle table-saw too", _ALL),
    TableCard("siobhan", "siobhan", 0, "red", "Payment ended last month", _NONE),
    TableCard("henrik", "henrik", 0, "teal", "Payment begins next week", _NONE),
    TableCard("tuva", "tuva", 0, "pink", "Pays, but is in no circle of a door", _NONE),
    TableCard("jurgita", "jurgita", 0, "sand", "Works for a company that left", _NONE),
    TableCard("linnea-lost", "linnea", 0, "slate", "Reported lost nine days ago", _NONE),
    TableCard("unknown", None, 3, "plain", "A card that nobody has yet", _NONE),
)


def credential_of(username: str | None, number: int) -> Credential:
    """What a reader reads from that person's card; with None, from a card that nobody has."""
    name = f"p2k16 demo card {username or '?'} {number}".encode()
    # 01: the version byte that most EM4100 cards have.
    return Credential(CredentialType.EM4100, b"\x01" + hashlib.sha256(name).digest()[:4])
