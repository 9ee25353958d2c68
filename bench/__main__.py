"""All benchmarks, one after the other, in some eight minutes. `python -m bench.scale` alone has the large histories."""

from __future__ import annotations

import sys

from bench import hour, merge, peers, read, scale
from bench.engines import ENGINES
from headwater.warehouse.spark.connection import OLDEST_JAVA, read_java_version


def engines() -> list[str]:
    """The engines that can be measured here."""
    if read_java_version() >= OLDEST_JAVA:
        return list(ENGINES)
    print(f"Spark is left out: it needs Java {OLDEST_JAVA} or newer.")
    return [name for name in ENGINES if name != "spark"]


if __name__ == "__main__":
    read.main()
    print()
    merge.main()
    print()
    scale.main(sys.argv[1:] or ["--keys", "1", "--kind", "number", "--what", "merge", "hand", "--engine", *engines()])
    print()
    hour.main()
    print()
    peers.main()
