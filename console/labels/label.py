"""What a box's label says. Pure. Source: the contract of the old API, §7."""

import json
from dataclasses import dataclass, field

TOPIC = "print_box"
"""Of the printer, after the prefix and a slash."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose box it is; None: not known."""

    username: str
    id: int
    name: str | None
    phone: str | None = field(repr=False)
    email: str | None = field(repr=False)


def payload(owner: Owner) -> bytes:
    """As the printer has always got it: the keys in this order, ASCII only."""
    label = {
        "username": owner.username,
        "id": owner.id,
        "name": owner.name,
        "phone": owner.phone,
        "email": owner.email,
    }
    return json.dumps(label).encode()
