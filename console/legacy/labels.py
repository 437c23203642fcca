"""The old API of labels. Source: its contract, §7."""

from aiohttp import web

from console.labels import queries
from console.labels.printing import print_label
from console.legacy.answers import done, object_not_found
from console.legacy.bodies import read_body
from console.legacy.privacy import sees
from console.web.keys import DATABASE, MQTT, SETTINGS
from console.web.routing import Route, Who


def routes() -> list[Route]:
    """Its paths."""
    return [Route("POST", "/service/label/print_box_label", Who.MEMBER, print_box_label)]


async def print_box_label(request: web.Request) -> web.StreamResponse:
    """Prints a label with phone and e-mail, so only of whom the visitor is told those."""
    account_id = (await read_body(request)).whole_number("user")
    if not sees(request, account_id):
        raise web.HTTPForbidden(text="Somebody else's label is printed by her, or by an admin")
    async with request.app[DATABASE].reading() as conn:
        owner = await queries.owner(conn, account_id=account_id)
    if owner is None:
        raise object_not_found()
    prefix = request.app[SETTINGS].mqtt.legacy_label_prefix
    if not await print_label(request.app[MQTT], owner, prefix=prefix):
        raise web.HTTPServiceUnavailable(
            text="The label printer can't be reached just now: the MQTT broker doesn't answer"
        )
    return done()
