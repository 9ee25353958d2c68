"""`python -m headwater.sandbox connectwise --port 8080`: the sandbox without the Headwater command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from headwater.errors import HeadwaterError
from headwater.sandbox.server import check_server
from headwater.sandbox.service import list_sandboxes, load_sandbox, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the service in the arguments. Return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        check_server()
        sandbox = load_sandbox(_find_service(words))
        parser = _build_parser()
        sandbox.add_options(parser)
        serve(sandbox, parser.parse_args(words))
    except HeadwaterError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def _find_service(words: Sequence[str]) -> str:
    """Return the service name, which may be anywhere among the options."""
    names = list_sandboxes()
    service = next((word for word in words if word in names), None)
    return service or str(_build_parser().parse_known_args(words)[0].service)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m headwater.sandbox", description="Serve a simulated service.")
    parser.add_argument("service", help=f"one of: {', '.join(list_sandboxes())}")
    parser.add_argument("--port", type=int, default=0, help="0: a free one (default)")
    parser.add_argument("--host", default="127.0.0.1")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
