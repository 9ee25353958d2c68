"""A simulated ConnectWise PSA: an Icelandic managed service provider that lives through time, behind the vendor's HTTP.

`company.live` builds it without HTTP, `app.connectwise` puts it behind the interface, `faults` spoils the answers.
It must not know the reader. Its tests are in tests/sandbox/.
"""

from __future__ import annotations
