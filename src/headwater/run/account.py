"""The account that a connection reads. The history of a connection is that of one account, so another one is refused.

Otherwise a connection with another company, URL or token would continue where the reads of the first account ended, and
nothing would show that all older records are missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from headwater.errors import DeclarationError
from headwater.extract.client import Client
from headwater.model.connector import Connector
from headwater.run.clients import locate_connection
from headwater.run.workspace import TenantWorkspace
from headwater.wire.hosts import is_loopback
from headwater.wire.template import fill_known, find_placeholders

Account = Mapping[str, str]
"""What identifies an account: the connector, the URL, settings by name, and the id that the service itself gives."""

_ID = "id"


def describe_account(client: Client) -> Account:
    """The account of a client. It contains no secrets, so that new credentials of an account change nothing."""
    connector, settings = client.connector, client.settings
    account = {"connector": connector.connector, "url": _normalize_url(fill_known(connector.base_url, settings))}
    in_url = find_placeholders(connector.base_url)
    named = {name for text in _list_texts(connector) for name in find_placeholders(text)}
    account |= {f"setting {name}": settings[name] for name in sorted(named - {*in_url}) if name in settings}
    return {**account, _ID: client.account_id} if client.account_id else account


def find_differences(before: Account, now: Account) -> dict[str, tuple[str, str]]:
    """What differs between two accounts, with both values. The id that a service gives decides alone, if both have one.

    Only what both name is compared, because another version of a manifest may name more.
    """
    compared = {_ID} if _ID in before and _ID in now else before.keys() & now.keys()
    return {name: (before[name], now[name]) for name in sorted(compared) if before[name] != now[name]}


def check_account(workspace: TenantWorkspace, name: str, client: Client) -> None:
    """Refuse another account than the one whose reads the ledger has. DeclarationError names what differs."""
    before, now = load_account(workspace, name), describe_account(client)
    if before == now:
        return
    different = find_differences(before or {}, now)
    if different and _has_reads(workspace, name):
        raise DeclarationError(
            f"The connection `{name}` read another account before.",
            where=locate_connection(workspace, name),
            details=describe_differences(different),
            hint=f"for another account, use another connection name, so that its history begins at its beginning; if it is the "
            f"same account, run `headwater connection accept {name}`",
        )
    save_account(workspace, name, now)


def _has_reads(workspace: TenantWorkspace, name: str) -> bool:
    """Whether a page of the connection was ever read. A window without records counts, because it is not read again."""
    rows = workspace.ledger.list_batches(workspace.tenant)
    return any(row.batch.feed.connection == name and (row.pages or row.stage != "extracting") for row in rows)


def load_account(workspace: TenantWorkspace, name: str) -> Account | None:
    """The account whose reads the ledger has; None if it was never saved."""
    text = workspace.ledger.get_mark(workspace.tenant, _name_mark(name))
    return json.loads(text) if text else None


def save_account(workspace: TenantWorkspace, name: str, account: Account) -> None:
    """Save the account of a connection."""
    workspace.ledger.set_mark(workspace.tenant, _name_mark(name), json.dumps(account, sort_keys=True))


def describe_differences(different: Mapping[str, tuple[str, str]]) -> str:
    """Differences as text, e.g. `setting company: acme before, now other`."""
    return "; ".join(f"{name}: {before} before, now {now}" for name, (before, now) in different.items())


def _list_texts(connector: Connector) -> Iterator[str]:
    """The texts whose settings choose an account: those of the credentials, of the search for the host, and of paths."""
    yield from connector.auth.texts.values()
    if connector.lookup is not None:
        yield from connector.lookup.params.values()
    for resource in connector.resources:
        yield resource.path


def _normalize_url(url: str) -> str:
    """A URL without what does not choose an account: the scheme, the case of the host, empty steps of the path.

    The port of this machine does not count either, because a proxy or a simulated service may get another one each time.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port and not is_loopback(host) else ""
    path = "/".join(step for step in parts.path.split("/") if step)
    return f"{host}{port}/{path}"


def _name_mark(connection: str) -> str:
    return f"account:{connection}"
