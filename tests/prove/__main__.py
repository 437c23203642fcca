"""`python -m tests.prove [PART …] [--long] [--seed N]`: what the controller is proven to do.

Prints one JSON line for each part. A failure ends it, with the seed and the smallest case.
"""

import argparse
import importlib
import json
import secrets
import sys
import time

import structlog

PARTS = ("fuzz", "forged", "cuts", "kills", "simulate", "mutants")


def main() -> int:
    parser = argparse.ArgumentParser("tests.prove", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--long", action="store_true", help="the long form: hours")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    options = parser.parse_args()
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    # Standard output is for figures.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for part in options.parts or PARTS:
        print(f"{part}, seed {seed} …", file=sys.stderr, flush=True)
        began = time.monotonic()
        figures = importlib.import_module(f"tests.prove.{part}").prove(
            is_long=options.long, seed=seed
        )
        seconds = round(time.monotonic() - began, 1)
        print(json.dumps({"proof": part, "seed": seed, **figures, "seconds": seconds}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
