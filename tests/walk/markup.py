"""What a page holds: where it leads, which forms it has, what it loads and what it may not have."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"input", "link", "meta", "br", "img", "hr"})
Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form, with what it holds when the page comes.

    `is_sent` False: a box that isn't ticked.
    """

    name: str
    kind: str
    value: str
    is_required: bool = False
    options: Sequence[str] = ()
    is_sent: bool = True


@dataclass(slots=True)
class Form:
    """A form, as a browser without scripts sends it."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list[Field])

    def filled(self) -> dict[str, str]:
        """As it is sent when nobody touches it."""
        return {one.name: one.value for one in self.fields if one.is_sent}


class Page(HTMLParser):
    """A page or a fragment, read."""

    def __init__(self, text: str) -> None:
        """Reads it all."""
        super().__init__()
        self.links: list[str] = []
        self.asked: list[str] = []
        """What htmx asks for by itself, or when something is typed."""
        self.loads: list[str] = []
        self.forms: list[Form] = []
        self.inline: list[str] = []
        """Scripts and styles that stand in the page, which the policy forbids."""
        self._select: Field | None = None
        self._options: list[tuple[str, bool]] = []
        self._text_area: Field | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Looks at one element."""
        known: Attributes = {name: value or "" for name, value in attrs}
        self._look_for_inline(tag, known)
        if tag == "a" and known.get("href"):
            self.links.append(known["href"])
        for name in ("hx-get", "sse-connect"):
            if known.get(name):
                self.asked.append(known[name])
        if (tag == "script" or tag == "img") and known.get("src"):
            self.loads.append(known["src"])
        if tag == "link" and known.get("href"):
            self.loads.append(known["href"])
        if tag == "form":
            self.forms.append(Form(known.get("action", ""), known.get("method", "get").lower()))
        self._look_for_fields(tag, known)

    def handle_endtag(self, tag: str) -> None:
        """Ends what has more than one element."""
        if tag == "select" and self._select is not None:
            values = [value for value, _ in self._options]
            chosen = [value for value, is_chosen in self._options if is_chosen] or values
            self._add(
                Field(self._select.name, "select", chosen[0] if chosen else "", options=values)
            )
            self._select = None
        if tag == "textarea" and self._text_area is not None:
            self._add(self._text_area)
            self._text_area = None

    def _look_for_fields(self, tag: str, known: Attributes) -> None:
        name, value = known.get("name", ""), known.get("value", "")
        if tag == "option" and self._select is not None:
            self._options.append((value, "selected" in known))
        if not name or tag not in {"input", "select", "textarea", "button"}:
            return
        if tag == "select":
            self._select, self._options = Field(name, "select", ""), []
        elif tag == "textarea":
            self._text_area = Field(name, "textarea", "", "required" in known)
        else:
            kind = known.get("type", "text") if tag == "input" else "submit"
            is_box = kind in {"checkbox", "radio"}
            is_sent = not is_box or "checked" in known
            value = known.get("value", "on" if is_box else "")
            self._add(Field(name, kind, value, "required" in known, is_sent=is_sent))

    def _add(self, one: Field) -> None:
        if not self.forms:
            return
        names = {other.name for other in self.forms[-1].fields}
        if one.name not in names:  # of radio buttons the first
            self.forms[-1].fields.append(one)

    def _look_for_inline(self, tag: str, known: Attributes) -> None:
        if tag == "style" or (tag == "script" and "src" not in known):
            self.inline.append(f"<{tag}>")
        self.inline += [
            f"{tag} {name}={known[name]!r}"
            for name in known
            if name == "style"
            or name.startswith(("on", "hx-on"))
            or known[name].lower().strip().startswith("javascript:")
        ]
