"""How pages write moments and days: in the zone of the server, in words.

The zone is the one that the operating system (or TZ) gives; it is looked up here only.
"""

from datetime import UTC, datetime, timedelta

from markupsafe import Markup

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

_PLAIN = Markup()
_AGO = Markup(" data-ago")
_LEFT = Markup(" data-left")
"""What the page's script looks for, to keep a time true."""


def now() -> datetime:
    """The present moment, aware."""
    return datetime.now(UTC)


def local(moment: datetime) -> datetime:
    """The same moment in the zone of the space."""
    return moment.astimezone()


def ago(moment: datetime, now: datetime) -> str:
    """`just now`, `2 min ago`, `3 h ago`; from a day on (and for what is ahead) the date."""
    age = now - moment
    if age < timedelta(seconds=-5) or age >= _DAY:
        return day_and_time(moment, now)
    if age < timedelta(seconds=10):
        return "just now"
    if age < _MINUTE:
        return f"{age // timedelta(seconds=1)} s ago"
    if age < _HOUR:
        return f"{age // _MINUTE} min ago"
    return f"{age // _HOUR} h ago"


def day(moment: datetime, now: datetime) -> str:
    """`3 December`; with the year where it isn't this one."""
    there, here = local(moment), local(now)
    text = f"{there.day} {there:%B}"
    return text if there.year == here.year else f"{text} {there.year}"


def month(moment: datetime) -> str:
    """`December 2026`."""
    return f"{local(moment):%B %Y}"


def day_and_time(moment: datetime, now: datetime) -> str:
    """`Today 18:02`, `Yesterday 18:02`, `3 December 18:02`."""
    there, here = local(moment), local(now)
    match (here.date() - there.date()).days:
        case 0:
            name = "Today"
        case 1:
            name = "Yesterday"
        case _:
            name = day(moment, now)
    return f"{name} {there:%H:%M}"


def coming(moment: datetime, now: datetime) -> str:
    """`today 14:00`, `tomorrow 14:00`, `Tue 14:00` within a week; else with the day."""
    there = local(moment)
    days = (there.date() - local(now).date()).days
    names = {0: "today", 1: "tomorrow"} | dict.fromkeys(range(2, 7), f"{there:%a}")
    return f"{names.get(days, day(moment, now))} {there:%H:%M}"


def left(moment: datetime, now: datetime) -> str:
    """`in 3 days`, `in 5 h`, `in 12 min`, `in 40 s`; `now` for what is over."""
    seconds = (moment - now) // timedelta(seconds=1)
    if seconds < 1:
        return "now"
    if seconds < 3600:
        return f"in {length(seconds)}"
    return f"in {seconds // 86400} days" if seconds >= 2 * 86400 else f"in {seconds // 3600} h"


def length(seconds: int) -> str:
    """`45 s`, `15 min`, `2 h`, `1 h 30 min`, `7 days`: a length of time, rounded down."""
    minutes = seconds // 60
    hours = minutes // 60
    if minutes < 1:
        return f"{seconds} s"
    if hours < 1:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 and hours < 12 else f"{hours} h"
    return f"{hours // 24} days"


def exact(moment: datetime) -> str:
    """`Tuesday 1 December 2026 18:02:11 CET`: what a pointer or a screen reader gets."""
    there = local(moment)
    return f"{there:%A} {there.day} {there:%B %Y %H:%M:%S %Z}"


def ago_tag(moment: datetime) -> Markup:
    """A `<time>` that says how long ago; the page's script keeps it true."""
    return _tag(moment, ago(moment, now()), kept=_AGO)


def coming_tag(moment: datetime) -> Markup:
    """A `<time>` with the weekday and the time of day of what is ahead."""
    return _tag(moment, coming(moment, now()))


def left_tag(moment: datetime) -> Markup:
    """A `<time>` that counts down; the page's script keeps it true."""
    return _tag(moment, left(moment, now()), kept=_LEFT)


def day_tag(moment: datetime) -> Markup:
    """A `<time>` with the day."""
    return _tag(moment, day(moment, now()))


def when_tag(moment: datetime) -> Markup:
    """A `<time>` with day and time of day."""
    return _tag(moment, day_and_time(moment, now()))


def clock_tag(moment: datetime) -> Markup:
    """A `<time>` with the time of day, for lists that say the day in a heading."""
    return _tag(moment, f"{local(moment):%H:%M}")


def _tag(moment: datetime, text: str, *, kept: Markup = _PLAIN) -> Markup:
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(
        moment.astimezone(UTC).isoformat(timespec="seconds"),
        exact(moment),
        kept,
        text,
    )
