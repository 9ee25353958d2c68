"""Add, list, log in, test, accept or remove connections."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.confirmation import confirm_acceptance, confirm_removal
from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import render_list, render_pairs
from headwater.run import app

commands = typer.Typer(name="connection", rich_markup_mode=None, add_completion=False)

ConnectionName = Annotated[str, typer.Argument(metavar="NAME", help="The connection.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """The declaration of a connection."""

    connector: Annotated[
        str, typer.Option(metavar="NAME", help="The connector. To list connectors, use `connector list`.")
    ]
    setting: Annotated[
        list[str], typer.Option("--set", metavar="NAME=VALUE", help="A setting. You can repeat this option.")
    ] = ()  # type: ignore[assignment] # typer reads the type, and an empty default must not be shared
    secret: Annotated[
        list[str],
        typer.Option(
            "--secret", metavar="NAME=REF", help="A reference to a secret, e.g. key=env:KEY. Never the secret itself."
        ),
    ] = ()  # type: ignore[assignment]
    resource: Annotated[
        list[str],
        typer.Option("--resource", metavar="NAME", help="Read only this resource. You can repeat this option."),
    ] = ()  # type: ignore[assignment]

    test: Annotated[bool, typer.Option("--test", help="Then request one page, as `connection test` does.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationOptions:
    """The options of a command that asks for confirmation."""

    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what the command would do.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginOptions:
    """The options of a login."""

    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address. Open it in a browser on this machine.")
    ] = False
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="PORT", help="The port for the answer, instead of that of the connector."),
    ] = None
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for you.", show_default=True)
    ] = 300.0


@commands.callback()
def connection() -> None:
    """Add, list, log in, test, accept or remove connections."""


@commands.command()
@expand_options
def add(
    name: ConnectionName,
    options: ConnectionOptions,
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
) -> None:
    """Add a connection to the ledger, or replace it.

    If the project has one tenant, a secret without --secret is taken from the environment variable CONNECTOR_SECRET. On a
    terminal, the command asks for what the connector still needs.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenant_workspace = app.choose_tenant(workspace, tenant.tenant)
        declaration, references = _complete_declaration(tenant_workspace, options, output)
        app.add_connection(tenant_workspace, name, declaration)
        several = f" --tenant {tenant_workspace.tenant}" if len(workspace.list_tenants()) > 1 else ""
        answer = app.check_connection(tenant_workspace, name) if options.test else None
    test = f"headwater connection test {name}{several}"
    value = {"tenant": tenant_workspace.tenant, "connection": name, "added": True}
    value |= ({"secrets": references} if references else {}) | ({"test": answer} if answer else {})
    ending = "it answers" if answer else f"`{test}` tries it"
    message = f"added connection {name} of {tenant_workspace.tenant}; {ending}"
    lines = [Text(f"secret {secret}: {reference}") for secret, reference in references.items()]
    print_result(output, value, Text(message), *lines)


@commands.command("list")
@expand_options
def list_(project: ProjectOptions, tenant: TenantOption, output: OutputOptions) -> None:
    """List the connections of a tenant."""
    with app.open_project(project.project, environment=project.environment) as workspace:
        connections = app.list_connections(app.choose_tenant(workspace, tenant.tenant))
    print_result(output, {"connections": connections}, render_list(connections, empty="no connections yet"))


@commands.command()
@expand_options
def test(name: ConnectionName, project: ProjectOptions, tenant: TenantOption, output: OutputOptions) -> None:
    """Request one page of a resource from the service.

    The command tests the URL, the credentials, and the right to read. It stores nothing.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        result = app.check_connection(app.choose_tenant(workspace, tenant.tenant), name)
    print_result(output, result, Text(f"{name} answers", style="green"), render_pairs(result))


@commands.command()
@expand_options
def accept(
    name: ConnectionName,
    options: ConfirmationOptions,
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
) -> None:
    """Confirm that a connection reads the same account.

    A run refuses a connection whose URL or settings name another account than before, because its history would continue
    without the older records of that account. If the service only has a new address or name for the same account, accept it.
    For another account, add a connection with another name. The command also ends the finding selection_changed. It asks for
    confirmation. Without a terminal, pass --yes.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenant_workspace = app.choose_tenant(workspace, tenant.tenant)
        acceptance = app.plan_connection_acceptance(tenant_workspace, name)
        value, text = to_plain(acceptance), Text("\n".join(acceptance.describe()) or "nothing differs")
        if options.dry_run or not acceptance.describe():
            print_result(output, {**value, "accepted": False}, text)
            return
        if not options.yes:
            confirm_acceptance(name, acceptance.describe(), output)
        app.accept_connection(tenant_workspace, name)
    print_result(output, {**value, "accepted": True}, Text(f"accepted what {name} reads"), text)


@commands.command()
@expand_options
def login(
    name: ConnectionName,
    options: LoginOptions,
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
) -> None:
    """Log in to a service that wants a person to agree.

    Its connector has `auth` of the kind `oauth2_refresh`. The command opens the page of the service in your browser, waits
    until you agree, and stores the tokens in the ledger, encrypted.
    """

    def show(address: str) -> None:
        print_progress(f"Open this page and agree:\n\n  {address}\n")
        if not options.no_browser:
            webbrowser.open(address)

    with app.open_project(project.project, environment=project.environment) as workspace:
        request = app.LoginRequest(show=show, timeout=options.timeout, port=options.port)
        result = app.log_in(app.choose_tenant(workspace, tenant.tenant), name, request)
    print_result(output, to_plain(result), Text(f"{name} of {result.tenant} is logged in", style="green"))


@commands.command()
@expand_options
def logout(name: ConnectionName, project: ProjectOptions, tenant: TenantOption, output: OutputOptions) -> None:
    """Delete the tokens of a login from the ledger.

    The service still knows them: to make them invalid, revoke the access of the app there.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenant_workspace = app.choose_tenant(workspace, tenant.tenant)
        existed = app.forget_login(tenant_workspace, name)
    text = "deleted the login" if existed else "there was no login"
    value = {"tenant": tenant_workspace.tenant, "connection": name, "deleted": existed}
    print_result(output, value, Text(f"{text} of {name}"))


@commands.command()
@expand_options
def remove(
    name: ConnectionName,
    options: ConfirmationOptions,
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
) -> None:
    """Remove a connection from the ledger.

    What it has read stays in the lake and in the tables. A connection that is added under the same name continues after
    the last read, and must read the same account. Use another name for another account. The command asks for
    confirmation. Without a terminal, pass --yes.
    """
    with app.open_project(project.project, environment=project.environment) as workspace:
        tenant_workspace = app.choose_tenant(workspace, tenant.tenant)
        removal = app.plan_connection_removal(tenant_workspace, name)
        value, lines = to_plain(removal), [Text(line) for line in removal.describe()]
        if options.dry_run:
            print_result(output, {**value, "removed": False}, Text(f"would remove connection {name}"), *lines)
            return
        if not options.yes:
            confirm_removal(f"connection {name}", removal.describe(), output)
        app.remove_connection(tenant_workspace, name)
    print_result(output, {**value, "removed": True}, Text(f"removed connection {name}"), *lines)


def print_progress(text: str) -> None:
    """Print a text at once, on standard error, so that standard output has only the result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _complete_declaration(
    workspace: app.TenantWorkspace, options: ConnectionOptions, output: OutputOptions
) -> tuple[dict[str, object], dict[str, str]]:
    """The connection as in headwater.yaml, and the references of its secrets that were in no option."""
    settings, secrets = _parse_pairs("--set", options.setting), _parse_pairs("--secret", options.secret)
    values = app.list_missing_values(workspace, options.connector, {*settings, *secrets})
    asks = sys.stdin.isatty() and not output.json
    others = {one.name: one.reference for one in values if one.is_in_environment}
    others |= {one.name: _prompt_value(one) for one in values if asks and not one.is_in_environment}
    references = {one.name: others[one.name] for one in values if one.kind == "secret" and one.name in others}
    settings |= {one.name: others[one.name] for one in values if one.kind == "setting" and one.name in others}
    declaration: dict[str, object] = {
        "connector": options.connector,
        "settings": settings,
        "secrets": secrets | references,
        "resources": list(options.resource),
    }
    return declaration, references


def _prompt_value(value: app.MissingValue) -> str:
    """What a person types for a setting, or for the reference of a secret."""
    about = f" ({value.description})" if value.description else ""
    form = ", a reference and never the secret itself" if value.kind == "secret" else ""
    return str(typer.prompt(f"{value.name}{about}{form}", default=value.reference or None, err=True))


def _parse_pairs(option: str, pairs: Sequence[str]) -> dict[str, str]:
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            # The value is not shown, because it may be a secret.
            details = "this" if option == "--secret" else f"`{pair}`"
            raise typer.BadParameter(f"{details} is not NAME=VALUE", param_hint=[option])
        values[name] = value
    return values
