"""What each audited table is called, and what is said of a change in it. Pure.

In braces: a column, with what it names in place of its number; `person`, whom the change concerns;
`object`, the row's key. Each sentence follows the name of whoever did it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from console.audit.change import Operation
from console.words import Text, unfilled


class Place(Struct, frozen=True):
    """A table. `name`: what is in it, for a list to choose from."""

    name: Text
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
            Text("People"),
            unfilled("made the account of {person}"),
            unfilled("changed the account of {person}"),
            unfilled("removed the account of {name}"),
        ),
        "access.session_end": Place(
            Text("Who was logged out"),
            unfilled("logged {person} out of {browsers}"),
            unfilled("changed that {person} was logged out of {browsers}"),
            unfilled("removed that {person} was logged out of {browsers}"),
        ),
        "public.circle_member": Place(
            Text("Who is in a circle"),
            unfilled("added {person} to the circle {circle}"),
            unfilled("changed the circle {circle} of {person}"),
            unfilled("removed {person} from the circle {circle}"),
        ),
        "public.circle": Place(
            Text("Circles"),
            unfilled("made the circle {name}"),
            unfilled("changed the circle {name}"),
            unfilled("removed the circle {name}"),
        ),
        "access.card": Place(
            Text("Cards"),
            unfilled("gave {person} the card {label}"),
            unfilled("changed the card {label} of {person}"),
            unfilled("removed the card {label} of {person}"),
        ),
        "access.avatar": Place(
            Text("Photos"),
            unfilled("gave {person} a photo"),
            unfilled("changed the photo of {person}"),
            unfilled("removed the photo of {person}"),
        ),
        "access.card_claim": Place(
            Text("First cards"),
            unfilled("began to enrol a first card at {door}"),
            unfilled("changed how {person} enrols a card at {door}"),
            unfilled("removed the enrolment of a card at {door}"),
        ),
        "access.break_glass_card": Place(
            Text("Break-glass cards"),
            unfilled("made {person}'s card {card} a break-glass card"),
            unfilled("changed the break-glass card {card} of {person}"),
            unfilled("made the break-glass card {card} of {person} an ordinary one"),
        ),
        "public.account_badge": Place(
            Text("Who has a badge"),
            unfilled("gave {person} the badge {badge_description}"),
            unfilled("changed the badge {badge_description} of {person}"),
            unfilled("took the badge {badge_description} from {person}"),
        ),
        "public.badge_description": Place(
            Text("Badges"),
            unfilled("made the badge {title}"),
            unfilled("changed the badge {title}"),
            unfilled("removed the badge {title}"),
        ),
        "access.badge_category": Place(
            Text("Categories of badges"),
            unfilled("put the badge {badge_description} into the category {category}"),
            unfilled("changed the category of the badge {badge_description}"),
            unfilled("took the badge {badge_description} out of the category {category}"),
        ),
        "public.company_employee": Place(
            Text("Who is employed"),
            unfilled("added {person} to the company {company}"),
            unfilled("changed the employment of {person} by {company}"),
            unfilled("removed {person} from the company {company}"),
        ),
        "public.company": Place(
            Text("Companies"),
            unfilled("made the company {name}"),
            unfilled("changed the company {name}"),
            unfilled("removed the company {name}"),
        ),
        "public.membership": Place(
            Text("Memberships"),
            unfilled("added the membership of {person}"),
            unfilled("changed the membership of {person}"),
            unfilled("removed the membership of {person}"),
        ),
        "public.stripe_customer": Place(
            Text("Customers of Stripe"),
            unfilled("made {person} a customer of Stripe"),
            unfilled("changed which customer of Stripe {person} is"),
            unfilled("removed which customer of Stripe {person} is"),
        ),
        "public.stripe_payment": Place(
            Text("Payments"),
            unfilled("recorded a payment of {person}"),
            unfilled("changed a payment of {person}"),
            unfilled("removed a payment of {person}"),
        ),
        "access.failed_payment": Place(
            Text("Failed payments"),
            unfilled("recorded news of the unpaid invoice {object}"),
            unfilled("recorded more news of the unpaid invoice {object}"),
            unfilled("recorded that nobody waits for the invoice {object} any more"),
        ),
        "access.stripe_subscription": Place(
            Text("Subscriptions at Stripe"),
            unfilled("recorded the subscription {object}"),
            unfilled("changed whether the subscription {object} goes on"),
            unfilled("removed the subscription {object}"),
        ),
        "public.tool_checkout": Place(
            Text("Who has a tool"),
            unfilled("checked the tool {tool_description} out to {person}"),
            unfilled("changed {person}'s check-out of the tool {tool_description}"),
            unfilled("checked the tool {tool_description} of {person} in"),
        ),
        "public.tool_description": Place(
            Text("Tools"),
            unfilled("made the tool {name}"),
            unfilled("changed the tool {name}"),
            unfilled("removed the tool {name}"),
        ),
        "access.tool_point": Place(
            Text("Tools at controllers"),
            unfilled("attached the tool {tool} to the controller {controller}"),
            unfilled("changed what holds for the tool {tool}"),
            unfilled("detached the tool {tool} from the controller {controller}"),
        ),
        "access.retired_tool": Place(
            Text("Retired tools"),
            unfilled("retired the tool {tool}"),
            unfilled("changed that the tool {tool} is retired"),
            unfilled("brought the tool {tool} back"),
        ),
        "access.door": Place(
            Text("Doors"),
            unfilled("made the door {name}"),
            unfilled("changed the door {name}"),
            unfilled("removed the door {name}"),
        ),
        "access.door_circle": Place(
            Text("Which circles open a door"),
            unfilled("let the circle {circle} open {door}"),
            unfilled("changed how the circle {circle} opens {door}"),
            unfilled("no longer lets the circle {circle} open {door}"),
        ),
        "access.open_hours": Place(
            Text("Open hours"),
            unfilled("set open hours of {door}: {hours}"),
            unfilled("changed open hours of {door}"),
            unfilled("removed open hours of {door}: {hours}"),
        ),
        "access.controller": Place(
            Text("Controllers"),
            unfilled("made the controller {object}"),
            unfilled("changed the controller {object}"),
            unfilled("removed the controller {object}"),
        ),
        "access.alarm_look": Place(
            Text("Alarms looked into"),
            unfilled("looked into alarms of {point}"),
            unfilled("changed a look into alarms of {point}"),
            unfilled("removed a look into alarms of {point}"),
        ),
        "access.command": Place(
            Text("Orders to doors and tools"),
            unfilled("gave {point} the order “{operation}”"),
            unfilled("changed the order to {object}"),
            unfilled("removed the order to {object}"),
        ),
    }
)
