"""The plugin that `headwater sandbox connectwise` loads: its options, and the application built from them."""

from __future__ import annotations

import argparse

from headwater.sandbox.connectwise.app import App, build_connectwise_app
from headwater.sandbox.connectwise.auth import Credentials


class ConnectWiseSandbox:
    """The simulated ConnectWise."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options for the simulated company and for the credentials that it accepts."""
        defaults = Credentials()
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
        """Build the application with a new simulated company."""
        credentials = Credentials(
            company=options.company,
            public_key=options.public_key,
            private_key=options.private_key,
            client_id=options.client_id,
            requests_per_minute=options.requests_per_minute,
        )
        return build_connectwise_app(
            seed=options.seed, companies=options.companies, months=options.months, credentials=credentials
        )


def _parse_count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
