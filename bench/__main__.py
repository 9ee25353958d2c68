"""All benchmarks, one after the other."""

from __future__ import annotations

from bench import merge, read

read.main()
print()
merge.main()
