"""The twenty planted bugs, and what has to find each: see mutants.py."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patch:
    """`before` stands in the file exactly once."""

    file: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug. `hunter`: arguments of Python that run what has to find it."""

    name: str
    patches: tuple[Patch, ...]
    hunter: tuple[str, ...]


def scenarios(seed: int, count: int = 4) -> tuple[str, ...]:
    """So many scenarios of the simulation, from this seed on. `--search` finds a seed."""
    simulation = ("-m", "tests.prove.simulate", "--no-shrinking")
    return (*simulation, "--seed", str(seed), "--count", str(count))


def tests(path: str) -> tuple[str, ...]:
    return ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", path)


MUTANTS = (
    Mutant(
        "an older snapshot is applied: no floor",
        (
            Patch("edge/accept.py", "    if offered.serial < lowest:\n", "    if False:\n"),
            Patch(
                "edge/rights_cache.py",
                "            if [version.epoch, version.serial] < floor:\n",
                "            if not floor:\n",
            ),
        ),
        scenarios(5),
    ),
    Mutant(
        "synchronous = NORMAL",
        (Patch("edge/store.py", '"PRAGMA synchronous = FULL"', '"PRAGMA synchronous = NORMAL"'),),
        ("-m", "tests.prove", "cuts", "--seed", "1"),
    ),
    Mutant(
        "an event is taken as recorded before its commit",
        (
            Patch(
                "edge/journal.py",
                "            alongside(connection)\n"
                "            return read_position(connection)\n\n"
                "        self._move(await self._store.write(work))\n",
                "            alongside(connection)\n"
                "            return read_position(connection)\n\n"
                "        asyncio.ensure_future(self._store.write(work))\n",
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "the guard forgets that leases end",
        (
            Patch(
                "edge/guard.py",
                "[relay for relay in self._on() if relay.until_ns <= now]",
                "[relay for relay in self._on() if relay.until_ns <= 0]",
            ),
        ),
        scenarios(20),
    ),
    Mutant(
        "an unlock has no end",
        (
            Patch(
                "edge/unlocks.py",
                "        until = asyncio.get_running_loop().time() + seconds\n        earlier",
                "        until = asyncio.get_running_loop().time() + 60 * seconds\n        earlier",
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "the relay moves before the record",
        (
            Patch(
                "edge/entrance.py",
                "        unrecorded = await parts.recorder.record(answer)\n",
                "        asyncio.ensure_future(parts.recorder.record(answer))\n"
                "        unrecorded = None\n",
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "rights never end",
        (
            Patch(
                "sync/rights.py",
                "    if right.not_after_ms is not None and moment.now_ms > right.not_after_ms:\n",
                "    if right.not_after_ms is not None and moment.now_ms < 0:\n",
            ),
        ),
        scenarios(2),
    ),
    Mutant(
        "the operating system's clock is believed",
        (
            Patch(
                "edge/clock.py",
                "Clock(max(high_water_ms + mono_ms, known_ms), mono_ms,",
                "Clock(max(high_water_ms + mono_ms, known_ms, self.wall_ms()), mono_ms,",
            ),
        ),
        scenarios(6),
    ),
    Mutant(
        "a command is obeyed as often as it comes",
        (Patch("edge/accept.py", "    if command.counter <= counter:\n", "    if False:\n"),),
        scenarios(35),
    ),
    Mutant(
        "messages for another controller are taken",
        (Patch("sync/envelope.py", "    if match[2] != audience.encode():\n", "    if False:\n"),),
        scenarios(5),
    ),
    Mutant(
        "signatures are not looked at",
        (
            Patch(
                "sync/envelope.py",
                "    if not is_signed_by(public_key, data[:end], data[end:]):\n",
                "    if not public_key:\n",
            ),
        ),
        scenarios(7),
    ),
    Mutant(
        "a message is read as whatever kind is wanted",
        (Patch("sync/envelope.py", "    if match[1] != kind.encode():\n", "    if False:\n"),),
        tests("tests/sync/test_envelope.py"),
    ),
    Mutant(
        "rights are in force before they are on the disk",
        (
            Patch(
                "edge/rights_cache.py",
                "        await self._journal.append(\n",
                "        self._floor, self._active = version, rights\n"
                "        await self._journal.append(\n",
            ),
        ),
        scenarios(57),
    ),
    Mutant(
        "any beacon makes the rights young",
        (
            Patch(
                "edge/downlink.py",
                "        mono_ms = self._timekeeper.mono_ms()\n        if mono_ms < VALID_MS and",
                "        mono_ms = self._timekeeper.mono_ms()\n"
                "        self._timekeeper.refresh(mono_ms)\n"
                "        if mono_ms < VALID_MS and",
            ),
        ),
        scenarios(4),
    ),
    Mutant(
        "a door is released when it starts",
        (
            Patch(
                "edge/doorway.py",
                "        self._is_served = True\n",
                "        self._is_served = True\n"
                '        self._unlocks.begin(self._point, GrantId("00" * 16), 5)\n',
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "a card that lies there is a tap with every frame",
        (Patch("edge/repeats.py", "GONE_SECONDS = 1.5\n", "GONE_SECONDS = 0.0\n"),),
        scenarios(1),
    ),
    Mutant(
        "a frame's checksum is not looked at",
        (Patch("edge/readers/rdm6300.py", "    if checksum:\n", "    if checksum < 0:\n"),),
        scenarios(1),
    ),
    Mutant(
        "the lock doesn't lock again behind the leaf",
        (
            Patch(
                "edge/doorway.py",
                "                self._unlocks.shorten(self._point, RELOCK_SECONDS)\n",
                "                pass\n",
            ),
        ),
        scenarios(1),
    ),
    Mutant(
        "the answer goes to the card that is there now",
        (
            Patch(
                "edge/entrance.py",
                "        credential = Credential(frame.credential_type, frame.data)\n        tap",
                "        credential = Credential(frame.credential_type, frame.data)\n"
                "        self._latest = credential\n"
                "        tap",
            ),
            Patch(
                "edge/entrance.py",
                "        verdict = await self._judge.weigh(tap.credential, self._post.tapped())\n",
                "        verdict = await self._judge.weigh(self._latest, self._post.tapped())\n",
            ),
        ),
        scenarios(64),
    ),
    Mutant(
        "a full journal forgets what the console hasn't got",
        (
            Patch(
                "edge/journal.py",
                "            raise JournalFull("
                '"no slot is left until the console has acknowledged events")\n',
                '            connection.execute("DELETE FROM event WHERE seq ='
                ' (SELECT min(seq) FROM event)")\n',
            ),
        ),
        scenarios(52),
    ),
)
