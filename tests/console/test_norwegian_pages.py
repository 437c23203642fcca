"""Pages in Norwegian hold no English sentence, whoever looks at them and whatever they show."""

import json
import re
from html import unescape

import pytest

from console.web.routing import RULES, Who
from sync.events import EventKind
from tests.support import makerspace
from tests.support.console_app import Site, admin, member
from tests.support.recorded import event
from tests.words import entries

WORDS_MIN = 3
"""Shorter messages may be parts of names, or the same in both languages."""


def english() -> list[re.Pattern[str]]:
    """Every message of some length, with anything in its places."""
    found: list[re.Pattern[str]] = []
    for entry in entries():
        for form, said in zip(entry.forms, entry.said, strict=True):
            plain = text_of(form)
            fixed = re.split(r"%\(\w+\)s|\{\w+\}", plain)
            words = sum(len(re.findall(r"[^\W\d_]{2,}", part)) for part in fixed)
            if form != said and words >= WORDS_MIN:
                pattern = r"[^|]{0,80}?".join(re.escape(part.replace("%%", "%")) for part in fixed)
                found.append(re.compile(rf"(?<!\w){pattern}(?!\w)"))
    return found


def text_of(html: str) -> str:
    """What a page says, its parts divided by bars; attributes that people see or hear included."""
    seen = re.sub(r"<code>.*?</code>", " ", html, flags=re.S)
    spoken = re.findall(r'(?:placeholder|aria-label|title|data-words)="([^"]*)"', seen)
    plain = re.sub(r"<(?:/?(?:a|strong|small|span|time|code)\b)[^>]*>", "", seen)
    plain = re.sub(r"<[^>]*>", "|", plain)
    return unescape(re.sub(r"\s+", " ", "|".join([plain, *spoken])))


@pytest.fixture
async def house(site: Site) -> Site:
    """Somebody of each kind, a door and a tool, and something of every kind that happened."""
    connection = site.connection
    await admin(connection, "ola")
    kari = await member(connection, "kari", name="Kari Nordmann")
    await makerspace.controller(connection)
    await makerspace.door(connection)
    for kind in (EventKind.ACCESS_GRANTED, EventKind.DOOR_FORCED, EventKind.ACCESS_DENIED):
        reason = "unknown_card" if kind is EventKind.ACCESS_DENIED else "allowed"
        await event(connection, account=kari, kind=kind, reason=reason)
    report = {"state": {"points": {"front": {"state": "held_open", "alarms": ["tampered"]}}}}
    await connection.execute(
        "insert into access.controller_report values ('front-pi', now(), %s)", [json.dumps(report)]
    )
    return site


def test_the_search_for_english_finds_it() -> None:
    found = [
        each
        for each in english()
        if each.search(
            text_of("<p>Another card is held to any reader, and then an admin assigns it.</p>")
        )
    ]
    assert found
    assert [
        each for each in english() if each.search("|Looked at all that was changed since noon.|")
    ]


@pytest.mark.parametrize("username", ["kari", "ola", None])
async def test_no_page_says_anything_in_english(house: Site, username: str | None) -> None:
    client = await house.browser(username)
    client.session.headers.update({"Accept-Language": "nb", "Accept": "text/html"})
    paths = sorted(
        {
            re.sub(r"\{[^}]+\}+", "front" if "door" in path else "1", path)
            for route, who in house.app[RULES].items()
            if route.method == "GET"
            and who is not Who.DESPOT
            and (path := route.resource.canonical if route.resource else "")
            and not path.startswith(("/data/", "/service/", "/api/", "/static", "/live", "/core"))
            and path not in {"/healthz", "/stripe-stats.png", "/passwd.php", "/protected"}
        }
    )
    patterns = english()
    pages = 0
    for path in paths:
        response = await client.get(path)
        if response.content_type != "text/html":
            continue
        pages += 1
        said = text_of(await response.text())
        left = [match.group(0) for pattern in patterns if (match := pattern.search(said))]
        assert left == [], path
    assert pages >= 10
