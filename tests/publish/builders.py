"""Publishing as a run does it, by the publication's name."""

from __future__ import annotations

from headwater.publish.publish import publish


def publish_by_name(workspace, warehouse, name):
    publication = next(one for one in workspace.project.publish if one.name == name)
    return publish(
        publication,
        "acme",
        warehouse,
        declarations=workspace.declarations,
        root=workspace.root,
        now=workspace.clock.now(),
    )
