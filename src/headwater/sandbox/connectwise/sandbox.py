"""The simulated ConnectWise as `headwater sandbox` serves it: its options, and the application that they make."""

from __future__ import annotations

import argparse

from headwater.sandbox.connectwise.app import App, connectwise
from headwater.sandbox.connectwise.auth import Access


class ConnectWiseSandbox:
    """The simulated ConnectWise."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add what the company is like, and the keys that it accepts."""
        defaults = Access()
        parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same company")
        parser.add_argument(
            "--companies", type=_parse_count, default=12, help="customers at the beginning (default 12)"
        )
        parser.add_argument("--months", type=_parse_count, default=6, help="months of simulated history (default 6)")
        parser.add_argument("--company", default=defaults.company, help="company part of the user name")
        parser.add_argument("--public-key", default=defaults.public_key)
        parser.add_argument("--private-key", default=defaults.private_key)
        parser.add_argument("--client-id", default=defaults.client_id)
        parser.add_argument(
            "--requests-per-minute", type=_parse_count, default=None, help="refuse more with 429 (default: no limit)"
        )

    def build_app(self, options: argparse.Namespace) -> App:
        """The application of a new company."""
        access = Access(
            company=options.company,
            public_key=options.public_key,
            private_key=options.private_key,
            client_id=options.client_id,
            requests_per_minute=options.requests_per_minute,
        )
        return connectwise(seed=options.seed, companies=options.companies, months=options.months, access=access)


def _parse_count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
