"""Publishing as a run does it, by the publication's name."""

from __future__ import annotations

from headwater.publish.publish import publish


def publish_by_name(opened, warehouse, name):
    publication = next(one for one in opened.project.publish if one.name == name)
    return publish(
        publication,
        "acme",
        warehouse,
        declarations=opened.declarations,
        root=opened.root,
        now=opened.clock.now(),
    )
