"""Who may use which route: the table that the console is held against.

A new route needs a line here. What the console itself declares is not asked.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType

from tests.walk.roles import (
    ADMINS,
    DESPOTS,
    EVERYBODY,
    FRONT_DESK,
    INSTRUCTORS,
    KEEPERS,
    MEMBERS,
    MONEY,
    NO_ONE,
    Role,
)


@dataclass(frozen=True, slots=True)
class Line:
    """Who is let in. `status`: what they get, where that isn't a page or a redirect."""

    allowed: Set[Role]
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Finer:
    """A rule of the feature's own, which asks what the request is about.

    `body`: a request that is refused for no other reason; `{account}` in it is the seeded one, and
    in JSON a number. `refusal`: what the others are told; empty: that there is no such thing.
    `lacks`: why those who may get no further all the same.
    """

    allowed: Set[Role]
    body: Mapping[str, object]
    refusal: str
    lacks: str = ""


ALL = Line(EVERYBODY)
MEMBER = Line(MEMBERS)
ADMIN = Line(ADMINS)
COMPANIES = Line(DESPOTS | ADMINS)
DESPOT = Line(DESPOTS)
DESK = Line(FRONT_DESK)
TREASURER = Line(MONEY)
OF_KEEPERS = "is changed by members of the circle “keepers”"
OF_INSTRUCTORS = "by members of the circle “instructors”"
OF_DESPOTS = "not a member of circle `despot`"
COMPANY: Mapping[str, object] = MappingProxyType(
    {"name": "Elsewhere AS", "active": True, "contact": "{account}"}
)
OF_KEEPERS_OLD = "is not in the admin circle (keepers)"

TABLE: Mapping[str, Line | Finer] = MappingProxyType(
    {
        # The frame
        "GET /healthz": ALL,
        "GET /live": MEMBER,
        "POST /language": ALL,
        "GET /static/{digest}/{name}": ALL,
        # Accounts
        "GET /login": ALL,
        "POST /login": ALL,
        "POST /logout": ALL,
        "GET /forgot-password": ALL,
        "POST /forgot-password": ALL,
        "GET /reset-password-form": Line(EVERYBODY, status=302),
        "POST /set-new-password": ALL,
        "GET /join": ALL,
        "POST /join": ALL,
        "GET /me/account": MEMBER,
        "POST /me/account/profile": MEMBER,
        "POST /me/account/password": MEMBER,
        "POST /me/account/sessions/{session}/end": MEMBER,
        "POST /me/account/sessions/others/end": MEMBER,
        "GET /suggestions/people": MEMBER,
        # Members
        "GET /": MEMBER,
        "GET /run": MEMBER,
        "GET /me": MEMBER,
        "GET /members": MEMBER,
        "GET /search": MEMBER,
        "GET /members/{account}": MEMBER,
        "GET /members/new": ADMIN,
        "POST /members/new": ADMIN,
        "GET /members/{account}/account": ADMIN,
        "POST /members/{account}/account": ADMIN,
        "POST /members/{account}/account/link": ADMIN,
        "POST /members/{account}/account/sessions/{session}/end": ADMIN,
        "POST /members/{account}/account/sessions/end": ADMIN,
        "GET /me/history": MEMBER,
        "GET /me/photo": MEMBER,
        "POST /me/photo": MEMBER,
        "POST /me/photo/removal": MEMBER,
        "GET /members/{account}/photo": MEMBER,
        "GET /me/label": MEMBER,
        "POST /me/label": MEMBER,
        "GET /members/{account}/history": DESK,
        "GET /log": DESK,
        "GET /log/changes": ADMIN,
        "GET /settings": ADMIN,
        "GET /log/alarms": ADMIN,
        "POST /log/alarms": Line(ADMINS, status=400),
        # What explains: for the front desk, and of herself for everybody; the tap is Vera’s
        "GET /log/taps/{event}": DESK,
        "GET /me/access": MEMBER,
        "GET /members/{account}/access": DESK,
        "GET /doors/{door}/people": DESK,
        "GET /tools/{tool}/people": Finer(KEEPERS | FRONT_DESK, {}, "circle “keepers”, “"),
        # Circles: whoever manages the circle
        "GET /circles": MEMBER,
        "GET /circles/{circle}": MEMBER,
        "GET /circles/new": ADMIN,
        "POST /circles": ADMIN,
        "GET /circles/{circle}/change": Finer(KEEPERS | ADMINS, {}, OF_KEEPERS),
        "POST /circles/{circle}": Finer(KEEPERS | ADMINS, {}, OF_KEEPERS),
        "POST /circles/{circle}/removal": Finer(
            KEEPERS | ADMINS, {}, OF_KEEPERS, lacks="an empty circle"
        ),
        "POST /circles/{circle}/members": Finer(KEEPERS, {"username": "pawn"}, OF_KEEPERS),
        "POST /circles/{circle}/members/{account}/removal": Finer(KEEPERS, {}, OF_KEEPERS),
        "POST /members/{account}/circles": Finer(
            KEEPERS, {"circle": "{circle}"}, OF_KEEPERS, lacks="somebody who isn't in it"
        ),
        "POST /members/{account}/circles/{circle}/removal": Finer(KEEPERS, {}, OF_KEEPERS),
        # Companies: admins, and whoever is in `despot`
        "GET /companies": MEMBER,
        "POST /companies": COMPANIES,
        "GET /companies/new": COMPANIES,
        "GET /companies/{company}": MEMBER,
        "POST /companies/{company}": COMPANIES,
        "GET /companies/{company}/change": COMPANIES,
        "POST /companies/{company}/employees": COMPANIES,
        "POST /companies/{company}/employees/{account}/removal": COMPANIES,
        # Badges: whoever certifies the badge awards it, and an admin may change it too
        "GET /badges": MEMBER,
        "POST /badges": MEMBER,
        "GET /badges/new": MEMBER,
        "GET /badges/{badge}": MEMBER,
        "POST /badges/{badge}": Finer(
            INSTRUCTORS | ADMINS, {"title": "Welder"}, OF_INSTRUCTORS, lacks="a version"
        ),
        "GET /badges/{badge}/change": Finer(INSTRUCTORS | ADMINS, {}, OF_INSTRUCTORS),
        "GET /badges/{badge}/awards": Finer(INSTRUCTORS, {}, OF_INSTRUCTORS),
        "POST /badges/{badge}/awards": Finer(INSTRUCTORS, {"usernames": "pawn"}, OF_INSTRUCTORS),
        "POST /badges/{badge}/awards/{account}/removal": Finer(
            INSTRUCTORS | ADMINS, {}, OF_INSTRUCTORS
        ),
        "GET /me/badges": MEMBER,
        "GET /members/{account}/badges": MEMBER,
        # Cards: the owner, and admins
        "GET /cards/unknown": ADMIN,
        "POST /cards/unknown/{event}/assignment": ADMIN,
        "POST /members/{account}/cards": ADMIN,
        "GET /cards/{card}/reach": Finer(FRONT_DESK, {}, ""),
        "POST /cards/{card}/label": Finer(ADMINS, {"label": "green fob"}, "", lacks="a version"),
        "POST /cards/{card}/loss": Finer(ADMINS, {}, ""),
        "POST /cards/{card}/break-glass": ADMIN,
        "GET /me/cards": MEMBER,
        "POST /me/cards/first": MEMBER,
        "POST /me/cards/first/end": MEMBER,
        "POST /me/cards/first/answer": MEMBER,
        "POST /doors/{door}/first-cards": ADMIN,
        # Doors, tools, controllers: who may open is the rights' decision
        "GET /doors": ADMIN,
        "GET /doors/{door}": ADMIN,
        "POST /doors/{door}/openings": Finer({Role.MEMBER}, {}, "circle “door”", lacks="a broker"),
        "POST /doors/{door}/orders": ADMIN,
        "GET /doors/{door}/circles": ADMIN,
        "POST /doors/{door}/circles": ADMIN,
        "GET /doors/_new": ADMIN,
        "POST /doors/_new": ADMIN,
        "GET /doors/{door}/change": ADMIN,
        "POST /doors/{door}/change": ADMIN,
        "POST /doors/{door}/retirement": ADMIN,
        "POST /doors/{door}/return": ADMIN,
        "GET /tools": MEMBER,
        "GET /tools/{tool}": MEMBER,
        "GET /tools/new": ADMIN,
        "POST /tools/new": ADMIN,
        "GET /tools/{tool}/change": ADMIN,
        "POST /tools/{tool}/change": ADMIN,
        "POST /tools/{tool}/retirement": ADMIN,
        "POST /tools/{tool}/return": ADMIN,
        "POST /tools/{tool}/orders": ADMIN,
        "POST /tools/{tool}/checkout": Finer(
            {Role.MEMBER}, {"seen": "{account}"}, "circle “workshop”"
        ),
        "POST /tools/{tool}/checkin": MEMBER,
        "GET /controllers": ADMIN,
        "GET /controllers/_new": ADMIN,
        "POST /controllers/_new": ADMIN,
        "GET /controllers/{controller}": ADMIN,
        "POST /controllers/{controller}/enrolment": ADMIN,
        "GET /controllers/{controller}/bundle": ADMIN,
        "POST /controllers/{controller}/bundle": Line(ADMINS, status=400),
        "POST /controllers/{controller}/retirement": ADMIN,
        # The old API: accounts and profiles
        "POST /service/authz/log-in": ALL,
        "POST /service/authz/log-out": ALL,
        "POST /service/register-account": ALL,
        "POST /service/start-reset-password": ALL,
        "POST /service/set-password": MEMBER,
        "POST /service/edit-profile": MEMBER,
        "GET /protected": MEMBER,
        "GET /data/profile-summary": MEMBER,
        "GET /data/profile": MEMBER,
        "GET /data/account/{account}": MEMBER,
        "GET /data/account-summary/{account}": MEMBER,
        # A session doesn't open these; a token or a password would
        "GET /api/memberinfo": Line(NO_ONE),
        "GET /core/ldap/users.ldif": Line(EVERYBODY, status=404),
        "GET /passwd.php": Line(EVERYBODY, status=404),
        # The old API: circles, companies, badges
        "GET /data/circle/{id}": MEMBER,
        "POST /data/circle": ADMIN,
        "DELETE /data/circle/{id}": Finer(KEEPERS, {}, OF_KEEPERS_OLD, lacks="an empty circle"),
        "POST /service/circle/create-membership": Finer(
            KEEPERS, {"circleId": "{circle}", "accountUsername": "pawn"}, OF_KEEPERS_OLD
        ),
        "POST /data/account/remove-membership": Finer(
            KEEPERS, {"circleId": "{circle}", "accountUsername": "vera"}, OF_KEEPERS_OLD
        ),
        "GET /data/company": MEMBER,
        "GET /data/company/{id}": MEMBER,
        "POST /data/company": Finer(DESPOTS, COMPANY, OF_DESPOTS),
        "PUT /data/company": Finer(DESPOTS, COMPANY, OF_DESPOTS),
        "POST /data/company/{id}/cmd/add-employee": DESPOT,
        "POST /data/company/{id}/cmd/remove-employee": DESPOT,
        "GET /badge/badge-descriptions": MEMBER,
        "GET /badge/badges-for-user/{id}": MEMBER,
        "GET /badge/recent-badges": MEMBER,
        "POST /badge/create-badge": Finer(
            INSTRUCTORS, {"title": "Welder", "recipient": "vera"}, "is not a valid certifier"
        ),
        # The old API: doors, tools, labels, events
        "POST /service/door/open": Finer(
            {Role.MEMBER}, {"doors": ["zinkdoor"]}, "lacks door circle", lacks="a broker"
        ),
        "GET /data/tool": MEMBER,
        "GET /data/tool/{tool}": MEMBER,
        "POST /data/tool": DESPOT,
        "PUT /data/tool": DESPOT,
        "POST /service/tool/checkout": Finer({Role.MEMBER}, {"tool": "{tool}"}, "workshop circle"),
        "POST /service/tool/checkin": Finer(
            {Role.MEMBER, Role.ADMIN}, {"tool": "{tool}"}, "is checked out by vera"
        ),
        "GET /service/tool/recent-events": MEMBER,
        "GET /service/recent-events": MEMBER,
        "GET /frontpage-graph": ALL,
        "POST /service/label/print_box_label": Finer(
            ADMINS, {"user": "{account}"}, "by her, or by an admin", lacks="a broker"
        ),
        # Money
        "GET /me/membership": MEMBER,
        "GET /me/membership/waiting": MEMBER,
        "POST /me/membership/checkout": MEMBER,
        "POST /me/membership/portal": MEMBER,
        "POST /me/membership/retry": MEMBER,
        "GET /money": TREASURER,
        "GET /money/people": TREASURER,
        "GET /money/payments.csv": TREASURER,
        "GET /money/by-hand": TREASURER,
        "GET /members/{account}/payments": TREASURER,
        "POST /members/{account}/payments": TREASURER,
        "POST /members/{account}/payments/{payment}/removal": TREASURER,
        "GET /membership/tiers": ALL,
        "GET /membership/status": MEMBER,
        "POST /membership/create-checkout-session": MEMBER,
        "POST /membership/customer-portal": MEMBER,
        "POST /membership/retry-payment": MEMBER,
        "POST /membership/stripe/webhook": ALL,
        "GET /stripe-stats.png": MEMBER,
    }
)
