"""The words that the page's script writes by itself; the frame hands them over."""

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from console.web.times import JUST_NOW, NOW
from console.words import Phrasebook, Text

N = "%"
"""Where the script puts a number."""


def script_words(phrasebook: Phrasebook) -> Markup:
    """As JSON, by the names that console.js uses. The times are those of `times.py`.

    It fits between single quotation marks: written with double ones it would be a third longer.
    """
    words = {
        "just_now": JUST_NOW,
        "seconds_ago": Text("{seconds} s ago", seconds=N),
        "minutes_ago": Text("{minutes} min ago", minutes=N),
        "hours_ago": Text("{hours} h ago", hours=N),
        "now": NOW,
        "in_seconds": Text("in {seconds} s", seconds=N),
        "in_minutes": Text("in {minutes} min", minutes=N),
        "in_hours": Text("in {hours} h", hours=N),
        "in_days": Text("in {days} days", days=N),
        "live": Text("live"),
        "not_live": Text("not live: connection lost, trying again"),
        "paused": Text("not live: paused while not in use"),
        "as_it_was": Text("as it was at {time}", time=N),
        "lost": Text("No answer: the connection is lost."),
        "timeout": Text("No answer for 15 s."),
        "waiting": Text("Still waiting…"),
        "cancel": Text("Cancel"),
        "cancelled": Text("Cancelled."),
        "look": Text("Look whether it was done before you try again."),
    }
    said = {name: phrasebook.say(text) for name, text in words.items()}
    return htmlsafe_json_dumps(said, ensure_ascii=False, separators=(",", ":"))
