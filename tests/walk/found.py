"""Finds the forms of all pages, and sends them."""

from dataclasses import dataclass

from tests.support.console_app import Client
from tests.walk.markup import Form, Page
from tests.walk.place import Answer, Place
from tests.walk.roles import Role
from tests.walk.spoiling import Body, encoded

ADDRESS_CHARACTERS_MAX = 4_000
"""Longer addresses don't reach the console's own code."""


@dataclass(frozen=True, slots=True)
class Found:
    """A form, for whom it is, and on which page."""

    role: Role
    route: str
    path: str
    form: Form

    @property
    def is_post(self) -> bool:
        """Whether it may write anything."""
        return self.form.method == "post"


async def find_forms(place: Place) -> list[Found]:
    """Of each kind one: of the first visitor who has it, on her first page with it."""
    found: dict[object, Found] = {}
    for role in (Role.ADMIN, *Role):
        for path in place.pages():
            answer = await place.ask(role, "GET", path)
            for form in Page(answer.text).forms if answer.is_page else ():
                route = place.route_of(form.method.upper(), form.action)
                assert route, f"{path}: nothing answers {form.method} {form.action}"
                kind = (route, *(one.name for one in form.fields))
                found.setdefault(kind, Found(role, route, path, form))
    return list(found.values())


async def send(
    place: Place, visitor: Client, form: Form, body: Body, *, is_htmx: bool = False
) -> Answer:
    """Sends it with this body."""
    if form.method == "get":
        query = body.decode("latin-1")[:ADDRESS_CHARACTERS_MAX]
        return await place.ask(visitor, "GET", f"{form.action}?{query}", is_htmx=is_htmx)
    return await place.ask(visitor, "POST", form.action, is_htmx=is_htmx, data=body)


async def save(
    place: Place, visitor: Client, form: Form, body: Body, *, is_htmx: bool = False
) -> Answer:
    """The same, and says yes where it is asked whether that is what was meant."""
    answer = await send(place, visitor, form, body, is_htmx=is_htmx)
    for asked in Page(answer.text).forms if answer.status == 200 and answer.is_page else ():
        if asked.action == form.action and "seen" in asked.filled() and asked.method == "post":
            return await send(
                place, visitor, asked, encoded(asked.filled().items()), is_htmx=is_htmx
            )
    return answer
