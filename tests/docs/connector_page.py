"""The reference page of the connectors, from their manifests."""

from __future__ import annotations

from collections.abc import Iterator

from headwater.model.connector import Connector
from headwater.run.inspect.connectors import list_resources, load_connector
from headwater.run.plugins import list_connector_names
from tests.docs.pages import MADE

COLUMNS = ("resource", "path", "key", "cursor", "deletes", "confidence", "fields")

LEGEND = """\
Each section lists what one connector reads.

- **cursor**: `changes by` a field means that a run requests what changed since the last one. `delta` means that the service
  reports changes and deletes itself. `all records` means that each read is complete, by default once a day.
- **deletes**: how a deleted record is detected. `sweep` reads all ids, `absence` means that a complete read lacks it;
  `verified` means that each missing record is requested once more. Other entries name a field of the record.
- **confidence**: how well path, key, filter and deletes are known: `verified` in published documentation or a response,
  `recalled` from general knowledge, or `doubtful` because sources disagree.

`headwater connector show NAME --resource RESOURCE` lists the fields of a resource with their types.
"""


def connectors_page() -> str:
    """docs/reference/connectors.md: every installed connector."""
    manifests = {name: load_connector(name) for name in list_connector_names()}
    parts = ["# Connectors\n", MADE, LEGEND, "| connector | service | resources | auth | confidence |"]
    parts.append("| --- | --- | --- | --- | --- |")
    parts += [
        f"| [`{name}`](#{name}) | {manifest.title} | {len(manifest.resources)} | `{manifest.auth.kind}` | {manifest.confidence} |"
        for name, manifest in manifests.items()
    ]
    parts.append("")
    for name, manifest in manifests.items():
        parts.extend(_describe(name, manifest))
    return "\n".join(parts)


def _describe(name: str, manifest: Connector) -> Iterator[str]:
    guide = f"../guides/connect-{name.replace('_', '-')}.md"
    limits = manifest.limits
    yield f"## {name}\n"
    yield f"{manifest.title}: [how to connect]({guide}). The base URL is `{manifest.base_url}`."
    rate = f"{limits.requests_per_minute} requests per minute and {limits.concurrency} at a time"
    yield f"At most {rate}, for each {limits.scope}.\n"
    yield "| setting or secret | meaning | default |"
    yield "| --- | --- | --- |"
    for key, setting in manifest.settings.items():
        default = "required" if setting.default is None else f"`{setting.default}`" if setting.default else ""
        yield f"| `{key}` | {setting.description} | {default} |"
    for key, description in manifest.secrets.items():
        yield f"| `{key}` (secret) | {description} | required |"
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"| {' | '.join('---' for _ in COLUMNS)} |"
    for resource in list_resources(name):
        cells = [str(resource[column]) for column in COLUMNS]
        yield f"| {' | '.join([*(f'`{cell}`' for cell in cells[:3]), *cells[3:]])} |"
    yield ""
