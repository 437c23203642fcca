"""How pages write moments and days: in the zone of the server, in words.

The zone is the one that the operating system (or TZ) gives; it is looked up here only.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from console.words import Phrasebook, Text

_EPOCH = datetime.fromtimestamp(0, UTC)
_MS = timedelta(milliseconds=1)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

_PLAIN = Markup()
_AGO = Markup(" data-ago")
_LEFT = Markup(" data-left")
"""What the page's script looks for, to keep a time true."""

_TAG = Markup('<time datetime="{}" title="{}"{}>{}</time>')
_Tag = Callable[[datetime], Markup]

JUST_NOW = Text("just now")
NOW = Text("now")

_MONTHS = (
    *(Text("January"), Text("February"), Text("March"), Text("April"), Text("May"), Text("June")),
    *(Text("July"), Text("August"), Text("September"), Text("October"), Text("November")),
    Text("December"),
)
_WEEKDAYS = (
    *(Text("Monday"), Text("Tuesday"), Text("Wednesday"), Text("Thursday"), Text("Friday")),
    *(Text("Saturday"), Text("Sunday")),
)
SHORT_WEEKDAYS = (
    *(Text("Mon"), Text("Tue"), Text("Wed"), Text("Thu"), Text("Fri"), Text("Sat"), Text("Sun")),
)


def now() -> datetime:
    """The present moment, aware."""
    return datetime.now(UTC)


def ms(moment: datetime) -> int:
    """Unix time, ms."""
    return (moment - _EPOCH) // _MS


def local(moment: datetime) -> datetime:
    """The same moment in the zone of the space."""
    return moment.astimezone()


def ago(moment: datetime, now: datetime) -> Text:
    """`just now`, `2 min ago`, `3 h ago`; from a day on (and for what is ahead) the date."""
    age = now - moment
    if age < timedelta(seconds=-5) or age >= _DAY:
        return day_and_time(moment, now)
    if age < timedelta(seconds=10):
        return JUST_NOW
    if age < _MINUTE:
        return Text("{seconds} s ago", seconds=age // timedelta(seconds=1))
    if age < _HOUR:
        return Text("{minutes} min ago", minutes=age // _MINUTE)
    return Text("{hours} h ago", hours=age // _HOUR)


def day(moment: datetime, now: datetime) -> Text:
    """`3 December`; with the year where it isn't this one."""
    there, here = local(moment), local(now)
    name = _MONTHS[there.month - 1]
    if there.year == here.year:
        return Text("{day} {month}", day=there.day, month=name)
    return Text("{day} {month} {year}", day=there.day, month=name, year=there.year)


def month(moment: datetime) -> Text:
    """`December 2026`."""
    there = local(moment)
    return Text("{month} {year}", month=_MONTHS[there.month - 1], year=there.year)


def day_and_time(moment: datetime, now: datetime) -> Text:
    """`Today 18:02`, `Yesterday 18:02`, `3 December 18:02`: for a place of its own."""
    return within_sentence(moment, now).capital()


def day_name(moment: datetime, now: datetime) -> Text:
    """`Today`, `Yesterday`, `3 December`: a heading."""
    match (local(now).date() - local(moment).date()).days:
        case 0:
            return Text("Today")
        case 1:
            return Text("Yesterday")
        case _:
            return day(moment, now)


def within_sentence(moment: datetime, now: datetime) -> Text:
    """`today 18:02`, `yesterday 18:02`, `3 December 18:02`."""
    clock = hour_and_minute(moment)
    match (local(now).date() - local(moment).date()).days:
        case 0:
            return Text("today {clock}", clock=clock)
        case 1:
            return Text("yesterday {clock}", clock=clock)
        case _:
            return Text("{day} {clock}", day=day(moment, now), clock=clock)


def coming(moment: datetime, now: datetime) -> Text:
    """`today 14:00`, `tomorrow 14:00`, `Tue 14:00` within a week; else with the day."""
    there, clock = local(moment), hour_and_minute(moment)
    days = (there.date() - local(now).date()).days
    if days == 0:
        return Text("today {clock}", clock=clock)
    if days == 1:
        return Text("tomorrow {clock}", clock=clock)
    name = SHORT_WEEKDAYS[there.weekday()] if 2 <= days <= 6 else day(moment, now)
    return Text("{day} {clock}", day=name, clock=clock)


def left(moment: datetime, now: datetime) -> Text:
    """`in 3 days`, `in 5 h`, `in 12 min`, `in 40 s`; `now` for what is over."""
    seconds = (moment - now) // timedelta(seconds=1)
    if seconds < 1:
        return NOW
    if seconds < 60:
        return Text("in {seconds} s", seconds=seconds)
    if seconds < 3600:
        return Text("in {minutes} min", minutes=seconds // 60)
    if seconds < 2 * 86400:
        return Text("in {hours} h", hours=seconds // 3600)
    return Text("in {days} days", days=seconds // 86400)


def length(seconds: int) -> Text:
    """`45 s`, `15 min`, `2 h`, `1 h 30 min`, `7 days`: a length of time, rounded down."""
    minutes = seconds // 60
    hours = minutes // 60
    if minutes < 1:
        return Text("{seconds} s", seconds=seconds)
    if hours < 1:
        return Text("{minutes} min", minutes=minutes)
    if hours >= 48:
        return Text("{days} days", days=hours // 24)
    if minutes % 60 and hours < 12:
        return Text("{hours} h {minutes} min", hours=hours, minutes=minutes % 60)
    return Text("{hours} h", hours=hours)


def exact(moment: datetime) -> Text:
    """`Tuesday 1 December 2026 18:02:11 CET`: what a pointer or a screen reader gets."""
    there = local(moment)
    return Text(
        "{weekday} {day} {month} {year} {clock}",
        weekday=_WEEKDAYS[there.weekday()],
        day=there.day,
        month=_MONTHS[there.month - 1],
        year=there.year,
        clock=f"{there:%H:%M:%S %Z}",
    )


def within_day(moment: datetime) -> Text:
    """`Tuesday 18:02:11 CET`: what a date leaves out."""
    there = local(moment)
    return Text(
        "{weekday} {clock}", weekday=_WEEKDAYS[there.weekday()], clock=f"{there:%H:%M:%S %Z}"
    )


def filters(phrasebook: Phrasebook) -> Mapping[str, Callable[[datetime], Markup]]:
    """What templates call to write a moment as a `<time>`: `{{ door.heard_at|ago }}`.

    `ago` and `left` are kept true by the page's script; `when_inside` is `when` in a sentence.
    """

    def tag(
        words: Callable[[datetime], Text],
        kept: Markup = _PLAIN,
        title: Callable[[datetime], Text] = exact,
    ) -> _Tag:
        return lambda moment: _TAG.format(
            moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z",
            phrasebook.say(title(moment)),
            kept,
            phrasebook.say(words(moment)),
        )

    return {
        "ago": tag(lambda moment: ago(moment, now()), _AGO),
        "clock": tag(lambda moment: Text("{clock}", clock=hour_and_minute(moment))),
        "coming": tag(lambda moment: coming(moment, now())),
        "day": tag(lambda moment: day(moment, now()), title=within_day),
        "left": tag(lambda moment: left(moment, now()), _LEFT),
        "when": tag(lambda moment: day_and_time(moment, now())),
        "when_inside": tag(lambda moment: within_sentence(moment, now())),
    }


def hour_and_minute(moment: datetime) -> str:
    """`18:02`."""
    there = local(moment)
    return f"{there.hour:02}:{there.minute:02}"
