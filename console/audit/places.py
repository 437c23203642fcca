"""What each audited table is called, and what is said of a change in it. Pure.

In braces: a column, with what it names in place of its number; `person`, whom the change concerns;
`object`, the row's key. Each sentence follows the name of whoever did it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from console.audit.change import Operation


@dataclass(frozen=True, slots=True)
class Place:
    """A table. `name`: what is in it, for a list to choose from."""

    name: str
    added: str
    changed: str
    removed: str

    def words(self, operation: str) -> str:
        """The sentence for what was done."""
        match operation:
            case Operation.ADDED:
                return self.added
            case Operation.CHANGED:
                return self.changed
            case _:
                return self.removed


PLACES: Mapping[str, Place] = MappingProxyType(
    {
        "public.account": Place(
            "People",
            "made the account of {person}",
            "changed the account of {person}",
            "removed the account of {name}",
        ),
        "public.circle_member": Place(
            "Who is in a circle",
            "added {person} to the circle {circle}",
            "changed the circle {circle} of {person}",
            "removed {person} from the circle {circle}",
        ),
        "public.circle": Place(
            "Circles",
            "made the circle {name}",
            "changed the circle {name}",
            "removed the circle {name}",
        ),
        "access.card": Place(
            "Cards",
            "gave {person} the card {label}",
            "changed the card {label} of {person}",
            "removed the card {label} of {person}",
        ),
        "access.break_glass_card": Place(
            "Break-glass cards",
            "made {person}'s card {card} a break-glass card",
            "changed the break-glass card {card} of {person}",
            "made the break-glass card {card} of {person} an ordinary one",
        ),
        "public.account_badge": Place(
            "Who has a badge",
            "gave {person} the badge {badge_description}",
            "changed the badge {badge_description} of {person}",
            "took the badge {badge_description} from {person}",
        ),
        "public.badge_description": Place(
            "Badges",
            "made the badge {title}",
            "changed the badge {title}",
            "removed the badge {title}",
        ),
        "public.company_employee": Place(
            "Who is employed",
            "added {person} to the company {company}",
            "changed the employment of {person} by {company}",
            "removed {person} from the company {company}",
        ),
        "public.company": Place(
            "Companies",
            "made the company {name}",
            "changed the company {name}",
            "removed the company {name}",
        ),
        "public.membership": Place(
            "Memberships",
            "added the membership of {person}",
            "changed the membership of {person}",
            "removed the membership of {person}",
        ),
        "public.stripe_customer": Place(
            "Customers of Stripe",
            "made {person} a customer of Stripe",
            "changed which customer of Stripe {person} is",
            "removed which customer of Stripe {person} is",
        ),
        "public.stripe_payment": Place(
            "Payments",
            "recorded a payment of {person}",
            "changed a payment of {person}",
            "removed a payment of {person}",
        ),
        "access.failed_payment": Place(
            "Failed payments",
            "recorded that the invoice {object} was not paid",
            "recorded again that the invoice {object} was not paid",
            "recorded that nobody waits for the invoice {object} any more",
        ),
        "access.stripe_subscription": Place(
            "Subscriptions at Stripe",
            "recorded the subscription {object}",
            "changed whether the subscription {object} goes on",
            "removed the subscription {object}",
        ),
        "public.tool_checkout": Place(
            "Who has a tool",
            "checked the tool {tool_description} out to {person}",
            "changed {person}'s check-out of the tool {tool_description}",
            "checked the tool {tool_description} of {person} in",
        ),
        "public.tool_description": Place(
            "Tools",
            "made the tool {name}",
            "changed the tool {name}",
            "removed the tool {name}",
        ),
        "access.tool_point": Place(
            "Tools at controllers",
            "attached the tool {tool} to the controller {controller}",
            "changed what holds for the tool {tool}",
            "detached the tool {tool} from the controller {controller}",
        ),
        "access.door": Place(
            "Doors",
            "made the door {name}",
            "changed the door {name}",
            "removed the door {name}",
        ),
        "access.door_circle": Place(
            "Which circles open a door",
            "let the circle {circle} open {door}",
            "changed how the circle {circle} opens {door}",
            "no longer lets the circle {circle} open {door}",
        ),
        "access.open_hours": Place(
            "Open hours",
            "set open hours of {door}: {hours}",
            "changed open hours of {door}",
            "removed open hours of {door}: {hours}",
        ),
        "access.controller": Place(
            "Controllers",
            "made the controller {object}",
            "changed the controller {object}",
            "removed the controller {object}",
        ),
        "access.command": Place(
            "Orders to doors and tools",
            "gave {point} the order “{operation}”",
            "changed the order to {object}",
            "removed the order to {object}",
        ),
    }
)

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "account": "person",
        "actor": "ordered by",
        "certification_circle": "who certifies",
        "closes_minute": "closes at minute",
        "comment_required_for_membership": "needs a comment",
        "credential_type": "type of card",
        "created_by": "made by",
        "badge_description": "badge",
        "fee": "fee a month",
        "first_membership": "member since",
        "hard_seconds": "seconds without the console until break-glass cards only",
        "lost_at": "lost",
        "lost_by": "reported lost by",
        "management_style": "managed by",
        "min_assurance": "least safety of a card",
        "name": "name",
        "open_seconds": "seconds unlocked",
        "opens_minute": "opens at minute",
        "requires_fresh": "needs rights of today",
        "reset_token": "link for a new password",
        "reset_token_validity": "link for a new password works until",
        "site_digest": "number",
        "soft_seconds": "seconds without the console until open hours end",
        "system": "no person",
        "tool_description": "tool",
    }
)
"""What a column is called, where that isn't its own name without underscores."""
UNTOLD = frozenset({"id", "created_at"})
"""Not worth a line among the columns of a row that came or went."""
