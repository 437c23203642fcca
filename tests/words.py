"""`make words`: brings the catalogue up to date with the words in templates and code.

New words are added without a translation, words that are gone are dropped, the rest stays. Neither
dates nor places stand in the file, and it is sorted, so that two people's new words seldom meet.
In the middle of a merge with conflicts in that file, it takes the words of both sides.
"""

import io
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

CONSOLE = Path(__file__).parents[1] / "console"
CATALOGUE = CONSOLE / "locale" / "nb" / "LC_MESSAGES" / "console.po"

LINE_CHARACTERS_MAX = 98
METHODS = [
    ("demo/**", "ignore"),
    ("legacy/**", "ignore"),
    ("migrations/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
]
OPTIONS = {
    "**/templates/**.html": {
        "silent": "false",
        "trimmed": "true",
        "newstyle_gettext": "true",
        "trim_blocks": "true",
        "lstrip_blocks": "true",
    }
}
KEYWORDS = {
    "Text": None,
    "unfilled": None,
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "plural": (1, 2),
}

HEADER = """\
# What pages say, in Norwegian (bokmål). `make words` adds what is missing here; how it works stands
# in docs/decisions/0023-languages.md.
msgid ""
msgstr ""
"Language: nb\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message, in one form or two, and how it is said."""

    forms: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def is_said(self) -> bool:
        return len(self.forms) == len(self.said) and all(self.said)


def extracted() -> Iterator[tuple[str, ...]]:
    """Every message in templates and code: one form, or two."""
    found: set[tuple[str, ...]] = set()
    for _, _, message, _, _ in extract_from_dir(
        CONSOLE, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS
    ):
        found.add((message,) if isinstance(message, str) else tuple(message))
    yield from sorted(found)


def entries(path: Path = CATALOGUE) -> list[Entry]:
    """What the catalogue holds."""
    return _read(path.read_bytes())


def known() -> list[Entry]:
    """What is translated already; in a merge with conflicts, on either side, ours last."""
    if b"\n<<<<<<<" not in CATALOGUE.read_bytes():
        return entries()
    return [entry for stage in (3, 2) for entry in _read(_staged(stage)) if entry.is_said]


def _read(content: bytes) -> list[Entry]:
    catalogue = read_po(io.BytesIO(content), abort_invalid=True)
    return [_entry(message) for message in catalogue if message.id]


def _staged(stage: int) -> bytes:
    name = CATALOGUE.relative_to(CONSOLE.parent).as_posix()
    shown = ["git", "show", f":{stage}:{name}"]
    return subprocess.run(shown, cwd=CONSOLE.parent, capture_output=True, check=True).stdout


def written(messages: Iterable[tuple[str, ...]], known: Iterable[Entry]) -> str:
    """The text of a catalogue of these messages, with what is known already."""
    said = {entry.forms: entry.said for entry in known}
    blocks = [_block(forms, said.get(forms, ("",) * len(forms))) for forms in sorted(set(messages))]
    return "\n".join([HEADER, *blocks])


def _entry(message: Message) -> Entry:
    forms, said = message.id, message.string
    if isinstance(forms, str):
        return Entry((forms,), (said if isinstance(said, str) else "",))
    return Entry(tuple(forms), (said,) if isinstance(said, str) else tuple(said or ()))


def _block(forms: tuple[str, ...], said: tuple[str, ...]) -> str:
    if len(forms) == 1:
        return f"{_lines('msgid', forms[0])}{_lines('msgstr', said[0])}"
    many = "".join(_lines(f"msgstr[{index}]", text) for index, text in enumerate(said))
    return f"{_lines('msgid', forms[0])}{_lines('msgid_plural', forms[1])}{many}"


def _lines(name: str, text: str) -> str:
    """`name "text"`; a long text on lines of its own, broken after blanks."""
    if len(f'{name} "{_quoted(text)}"') <= LINE_CHARACTERS_MAX:
        return f'{name} "{_quoted(text)}"\n'
    lines = [""]
    for word in text.split(" "):
        piece = f"{word} "
        if len(_quoted(lines[-1] + piece)) > LINE_CHARACTERS_MAX - 2:
            lines.append("")
        lines[-1] += piece
    lines[-1] = lines[-1].removesuffix(" ")
    return f'{name} ""\n' + "".join(f'"{_quoted(line)}"\n' for line in lines)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")


if __name__ == "__main__":
    CATALOGUE.write_text(written(extracted(), known()), encoding="utf-8")
    missing = [entry.forms[0] for entry in entries() if not entry.is_said]
    for message in missing:
        print(f"without a translation: {message}")
