"""A simulated ConnectWise PSA: an Icelandic managed service provider whose data changes over time, behind the vendor's API.

`simulation.build_simulation` builds the data without HTTP, `app.build_connectwise_app` serves it, `faults` injects faults.
It must not know the code that reads from it. Its tests are in tests/sandbox/.
"""

from __future__ import annotations
