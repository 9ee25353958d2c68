"""`python -m headwater.cli`: the command line where no script is on the path."""

from __future__ import annotations

from headwater.cli.main import main

main()
