"""Sends a label to the printer."""

import asyncio

from console.errors import BrokerUnavailable
from console.labels.label import TOPIC, Owner, payload
from console.web.keys import Publishes

PUBLISH_SECONDS = 3.0


async def print_label(broker: Publishes, owner: Owner, *, prefix: str) -> bool:
    """Whether the broker has taken it; whether a printer listens there, it doesn't say."""
    try:
        async with asyncio.timeout(PUBLISH_SECONDS):
            # Acknowledged by the broker: only then may anybody be told that it was sent.
            await broker.publish(f"{prefix}/{TOPIC}", payload(owner), qos=1)
    except (TimeoutError, BrokerUnavailable):
        return False
    return True
