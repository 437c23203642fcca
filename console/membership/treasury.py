"""What the application keeps for payments, from its start to its end."""

from aiohttp import web
from msgspec import Struct

from console.membership.monthly_chart import MonthlyChart
from console.membership.stripe_gateway import StripeGateway
from console.membership.tiers import TierList
from console.membership.turns import Turns
from console.web.keys import SETTINGS


class Treasury(Struct, frozen=True):
    """The way to Stripe, and what is remembered of its answers."""

    gateway: StripeGateway
    tiers: TierList
    chart: MonthlyChart
    turns: Turns


TREASURY = web.AppKey("treasury", Treasury)


def set_up(app: web.Application) -> None:
    """Gives the application what payments need, until it ends. Connects to nothing yet."""
    gateway = StripeGateway(app[SETTINGS].stripe)
    app[TREASURY] = Treasury(gateway, TierList(gateway), MonthlyChart(), Turns())
    app.on_cleanup.append(_end)


async def _end(app: web.Application) -> None:
    await app[TREASURY].tiers.close()
    await app[TREASURY].gateway.close()
