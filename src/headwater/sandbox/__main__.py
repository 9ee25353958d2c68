"""`python -m headwater.sandbox connectwise --port 8080`: the sandbox without the rest of the product."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from headwater.errors import HeadwaterError
from headwater.sandbox.connectwise.auth import Access
from headwater.sandbox.service import SERVICES, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve what the arguments say; the exit code."""
    options = _parser().parse_args(arguments)
    access = Access(
        company=options.company,
        public_key=options.public_key,
        private_key=options.private_key,
        client_id=options.client_id,
        requests_per_minute=options.requests_per_minute,
    )
    try:
        serve(options.service, port=options.port, seed=options.seed, companies=options.companies,
              months=options.months, host=options.host, access=access)  # fmt: skip
    except HeadwaterError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    known = Access()
    parser = argparse.ArgumentParser(prog="python -m headwater.sandbox", description="Serve a simulated service.")
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("--port", type=int, default=0, help="0: a free one (default)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same company")
    parser.add_argument("--companies", type=_natural, default=12, help="customers at the beginning (default 12)")
    parser.add_argument("--months", type=_natural, default=6, help="months already lived (default 6)")
    parser.add_argument("--company", default=known.company, help="company part of the user name")
    parser.add_argument("--public-key", default=known.public_key)
    parser.add_argument("--private-key", default=known.private_key)
    parser.add_argument("--client-id", default=known.client_id)
    parser.add_argument(
        "--requests-per-minute", type=_natural, default=None, help="refuse more with 429 (default: no limit)"
    )
    return parser


def _natural(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
