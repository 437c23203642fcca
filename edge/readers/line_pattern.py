"""A pattern from the settings, for lines: refused unless matching it can't take long.

A regular expression that backtracks freely may take years for a line of 64 characters, and the
daemon does nothing else meanwhile. So only patterns pass in which the number of ways to match is
small and can be counted beforehand: repeats of single characters, groups that aren't repeated,
alternatives; nothing that looks around or back.
"""

import re
import warnings
from dataclasses import dataclass

PATTERN_CHARACTERS_MAX = 200
LINE_BYTES_MAX = 64
WAYS_MAX = 10_000
"""Two `.*` in a pattern have 4,225; each way costs at most a look at each character of a line."""

_TOKEN = re.compile(
    r"""
      (?P<one> \\[dDsSwW] | \\[^\w\s] | \[ \^? \]? (?: \\. | [^\]\\] )* \] | [^\\\[\](){}|*+?^$] )
      (?P<times> [*+?] | \{ [0-9]{0,3} (?: , [0-9]{0,3} )? \} )? (?: (?<=[*+?}]) \? )?
    | (?P<open> \( (?: \?: | \?P<\w+> | (?!\?) ) )
    | (?P<close> \) )
    | (?P<or> \| )
    | [\^$]
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PatternMistake:
    """`words`: what is wrong, for the person who wrote the settings."""

    words: str


def read_pattern(text: str) -> re.Pattern[str] | PatternMistake:
    """The pattern, to be used with `fullmatch` on lines of ASCII."""
    if len(text) > PATTERN_CHARACTERS_MAX or not text.isascii():
        return PatternMistake(f"expected at most {PATTERN_CHARACTERS_MAX} ASCII characters")
    ways, position = 1, 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            return PatternMistake(
                f"at {text[position:][:20]!r}: expected characters, [classes], alternatives, and "
                "groups that are not repeated; only a single character or class may be repeated"
            )
        ways *= 2 if token["or"] else _ways_of(token["times"])
        position = token.end()
    if ways > WAYS_MAX:
        return PatternMistake(
            f"has {ways} ways to match a line, at most {WAYS_MAX} are safe: use fewer of * + {{,}}"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what may mean something else in a later Python
            return re.compile(text, re.ASCII)
    except (re.error, OverflowError, Warning) as error:
        return PatternMistake(f"no regular expression: {error}")


def _ways_of(times: str | None) -> int:
    """In how many ways a repeat can match."""
    match times:
        case None:
            return 1
        case "?":
            return 2
        case "*" | "+":
            return LINE_BYTES_MAX + 1
        case _:
            least, comma, most = times[1:-1].partition(",")
            if not comma:
                return 1
            span = int(most or LINE_BYTES_MAX) - int(least or 0)
            return max(1, min(span, LINE_BYTES_MAX) + 1)
