"""A member prints a label for her box from a page, and is told where that is not possible."""

import html
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestServer

from console.app import build_app
from console.database import Connection, Database
from console.errors import BrokerUnavailable
from console.labels.label import Owner, payload
from console.web.session import COOKIE
from tests.support import console_app
from tests.support.console_app import SALT, Broker, Client, Site, settings_for, visiting
from tests.support.site import SentMessages


@dataclass
class Printer(SentMessages):
    """A broker with a printer behind it, which can be away."""

    is_away: bool = False

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1
    ) -> None:
        if self.is_away:
            raise BrokerUnavailable("away")
        self.messages.append((topic, payload, retain))


@dataclass
class Room:
    """Kari at a console with a label printer."""

    printer: Printer
    kari: int
    browser: Client
    session: str


@pytest.fixture
async def room(
    database: Database, database_url: str, connection: Connection, site: Site
) -> AsyncGenerator[Room]:
    kari = await console_app.member(connection, "kari", name="Kari Nordmann")
    plain = settings_for(database_url)
    settings = replace(plain, mqtt=replace(plain.mqtt, legacy_label_prefix="/here/label"))
    printer = Printer()
    app = await build_app(
        settings=settings,
        database=database,
        site_salt=SALT,
        broker_answers=Broker().ask,
        broker=printer,
    )
    token = await site.session("kari")
    async with TestServer(app) as server, visiting(server) as browser:
        browser.session.cookie_jar.update_cookies({COOKIE: token})
        yield Room(printer, kari, browser, token)


async def text(answer: ClientResponse) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", await answer.text())).split())


async def test_her_own_label_goes_to_the_printer(room: Room):
    assert 'href="/me/label"' in await (await room.browser.get("/me")).text()
    page = await text(await room.browser.get("/me/label"))
    assert "Name Kari Nordmann Phone not given E-mail kari@example.org Print" in page
    answer = await room.browser.post("/me/label", data={"user": "3"})
    assert "Sent to the label printer." in await text(answer)
    owner = Owner("kari", room.kari, "Kari Nordmann", None, "kari@example.org")
    assert room.printer.messages == [("/here/label/print_box", payload(owner), False)]


async def test_a_broker_that_does_not_answer_is_told(room: Room):
    room.printer.is_away = True
    answer = await room.browser.post("/me/label")
    assert answer.status == 503
    page = await text(answer)
    assert "The label printer can't be reached just now" in page
    assert "Sent" not in page


async def test_without_a_printer_that_is_said_and_nothing_is_offered(site: Site):
    await console_app.member(site.connection, "kari")
    browser = await site.browser("kari")
    assert 'href="/me/label"' not in await (await browser.get("/me")).text()
    page = await text(await browser.get("/me/label"))
    assert "No label printer is set up here." in page
    assert "Print" not in page
    answer = await browser.post("/me/label")
    assert answer.status == 422
    assert "nothing was printed" in await text(answer)


async def test_the_own_page_begins_with_where_one_wants_to_go(site: Site):
    await console_app.member(site.connection, "kari")
    page = await text(await (await site.browser("kari")).get("/me"))
    assert "that is you Cards Access Membership History Account" in page
