"""Blueprints: entities, dimensions, facts and rules that ship with Headwater, as declarations.

Each folder here is one blueprint; what it means stands in the YAML below its `models/`, and a project overrides any of it by
name. This room decides what the words of a trade mean (a ticket, a billable hour) and from which resources they come. It
must not know how anything is read, merged or built: it imports nothing and holds no code. Its tests are in
`tests/blueprints/`.
"""

from __future__ import annotations
