"""How long one decision takes with a full snapshot, the entry's HMAC included."""

import os
import time

from sync.credential import entry, member_ref
from sync.ids import AccountRef, ControllerId, Epoch, Serial, SiteDigest
from sync.rights import Assurance, Moment, Right, decide
from sync.snapshot import Snapshot, decode_snapshot, encode_snapshot
from tests.bench.figures import show, spread_ms
from tests.sync.samples import DOOR, FRONT

KEY = bytes(32)


def measure() -> None:
    """At 10,000 and 50,000 entries."""
    for count in (10_000, 50_000):
        digests = [SiteDigest(os.urandom(16)) for _ in range(count)]
        right = Right(member_ref(KEY, AccountRef(1)), frozenset({FRONT}), not_after_ms=2**50)
        entries = {entry(KEY, digest): right for digest in digests}
        name = ControllerId("bench")
        snapshot = Snapshot(name, Epoch(1), Serial(1), 0, None, {FRONT: DOOR}, entries)
        began = time.perf_counter()
        payload = encode_snapshot(snapshot)
        encoded = time.perf_counter()
        active = decode_snapshot(payload, name)
        decoded = time.perf_counter()
        show(
            f"snapshot of {count} entries",
            bytes=len(payload),
            encode_ms=round((encoded - began) * 1000, 1),
            decode_ms=round((decoded - encoded) * 1000, 1),
        )
        moment = Moment(2**40, is_trusted=True)
        taken: list[float] = []
        for digest in digests[:10_000]:
            start = time.perf_counter()
            found = active.entries.get(entry(KEY, digest))
            decision = decide(active.points.get(FRONT), found, Assurance.UID, moment)
            taken.append(time.perf_counter() - start)
            assert decision.is_allowed
        spread_ms(f"decision at {count} entries", taken)
