"""A controller that was enrolled and given rights a while ago, and hears from nobody since."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from edge.clock import Timekeeper
from edge.journal import open_journal
from edge.provision import provision
from edge.rights_cache import Trust, open_rights_cache
from edge.store import open_store
from sync.ids import BootId
from sync.signing import public_key
from tests.support.edge_daemon import EdgeDaemon
from tests.support.signer import FRONT, KARIS_CARD, Signer, door, now_ms

UNLOCK_SECONDS = 60
"""Longer than any proof waits for a relay to go off."""


def stocked(folder: Path) -> EdgeDaemon:
    """Not started. Kari's card opens the front door, however old the rights are."""
    signer = Signer()
    daemon = EdgeDaemon(folder)
    daemon.config.write_text(
        daemon.config.read_text() + f"relay.unlock_seconds_max = {UNLOCK_SECONDS}\n"
    )
    daemon.enrol(signer.bundle())
    daemon.data_dir.mkdir()
    asyncio.run(_stock(daemon.data_dir, signer))
    return daemon


async def _stock(data_dir: Path, signer: Signer) -> None:
    trust = Trust(signer.controller, public_key(signer.root_seed))
    owner = f"{trust.controller} {trust.root_public_key.hex()}"
    provision(data_dir, owner)
    store, _ = await open_store(data_dir, owner)
    right = replace(signer.right(), is_break_glass=True)
    points = [door(FRONT, unlock_seconds=UNLOCK_SECONDS)]
    snapshot = signer.snapshot(1, {signer.entry(KARIS_CARD): right}, points=points)
    with ThreadPoolExecutor(1) as decoder:
        journal = await open_journal(store, Timekeeper(BootId("cd" * 16)), trust.controller)
        rights = await open_rights_cache(store, journal, trust, decoder=decoder)
        await rights.offer_keyset(signer.keyset(), now_ms=now_ms())
        await rights.offer_snapshot(snapshot, now_ms=now_ms())
    await store.close()
