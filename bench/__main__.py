"""All benchmarks, one after the other. `python -m bench.scale` alone has the large histories."""

from __future__ import annotations

import sys

from bench import merge, peers, read, scale

if __name__ == "__main__":
    read.main()
    print()
    merge.main()
    print()
    scale.main(
        sys.argv[1:] or ["--keys", "1", "--kind", "number", "--engine", "duckdb", "postgres", "--what", "merge", "hand"]
    )
    print()
    peers.main()
