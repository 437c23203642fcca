"""A console that takes payments, with a stand-in for Stripe's cloud."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from aiohttp import ClientResponse

from console.database import Connection, Database
from console.settings import ConsoleSettings, RoleSettings
from tests.legacy.sites import site_with
from tests.support import makerspace
from tests.support.console_app import Client, Site, admin, member, settings_for
from tests.support.stripe_cloud import StripeCloud, paying, signature, stripe_cloud

WEBHOOK = "/membership/stripe/webhook"
MEMBERSHIP = "/me/membership"


@dataclass(frozen=True, slots=True)
class PayingSite:
    """Kari is a member, Tore the treasurer, Frode at the front desk, Ola an admin."""

    site: Site
    cloud: StripeCloud
    kari: int
    settings: ConsoleSettings

    async def get(self, path: str, username: str = "kari") -> str:
        """A page's text."""
        response = await (await self.site.browser(username)).get(path)
        assert response.status == 200, (path, response.status)
        return await response.text()

    async def post(
        self, path: str, data: dict[str, str] | None = None, *, client: Client | None = None
    ) -> ClientResponse:
        """What a form of Kari's is answered with; redirects are not followed."""
        browser = client or await self.site.browser("kari")
        return await browser.post(path, data=data or {}, allow_redirects=False)

    async def tell(self, body: bytes) -> int:
        """A message of Stripe's; the status of the answer."""
        client = await self.site.browser()
        headers = {"Stripe-Signature": signature(body), "Content-Type": "application/json"}
        return (await client.post(WEBHOOK, data=body, headers=headers)).status

    async def is_customer(self, customer: str = "cus_1") -> None:
        """Makes Kari Stripe's customer."""
        await self.site.connection.execute(
            """
            insert into stripe_customer (created_at, created_by, updated_at, updated_by, stripe_id)
            values (now(), %(account)s, now(), %(account)s, %(customer)s)
            """,
            {"account": self.kari, "customer": customer},
        )


@asynccontextmanager
async def paying_site(
    database: Database, connection: Connection, *, takes_payments: bool = True
) -> AsyncGenerator[PayingSite]:
    """The console and the cloud, which sells two memberships."""
    kari = await member(connection, "kari", name="Kari Nordmann")
    await admin(connection, "ola")
    for username, circle in (("tore", "treasurers"), ("frode", "desk")):
        account = await member(connection, username)
        await makerspace.circle(connection, name=circle)
        await makerspace.circle_member(connection, account=account, circle=circle)
    async with stripe_cloud() as cloud:
        cloud.sell("Full member", "price_500", 50000, "Door access$Vote")
        cloud.sell("Supporting member", "price_300", 30050)
        plain = settings_for(database.conninfo)
        roles = RoleSettings("admin", front_desk_circle="desk", treasurer_circle="treasurers")
        settings = replace(paying(plain, cloud) if takes_payments else plain, roles=roles)
        async with site_with(database, connection, settings) as site:
            yield PayingSite(site, cloud, kari, settings)
