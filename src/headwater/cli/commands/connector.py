"""List, show, create, record or test connectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from headwater.cli.connector_test.arguments import ConnectorTestArguments
from headwater.cli.connector_test.progress import show_progress
from headwater.cli.connector_test.report import render_report
from headwater.cli.options import OutputOptions, ProjectOptions, TenantOption, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import format_count, render_list, render_pairs, render_table
from headwater.run import app
from headwater.run.signals import catch_signals

_NOTE = "Stopping after the current scenario. Interrupt again to stop immediately.\n"

commands = typer.Typer(name="connector", rich_markup_mode=None, add_completion=False)


@commands.callback()
def connector() -> None:
    """List, show, create, record or test connectors."""


@commands.command("list")
@expand_options
def list_(project: ProjectOptions, output: OutputOptions) -> None:
    """List the connectors that are installed or in the project."""
    connectors = app.list_connectors(project.project)
    print_result(output, {"connectors": connectors}, render_list(connectors, empty="no connectors are installed"))


@commands.command()
@expand_options
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connector.")],
    project: ProjectOptions,
    output: OutputOptions,
    *,
    resource: Annotated[
        str | None, typer.Option("--resource", metavar="NAME", help="Show only this resource, with its fields.")
    ] = None,
) -> None:
    """Show a connector, or the fields of one of its resources.

    A connector has settings, secrets and resources. A resource has a confidence: how well its facts are known. The fields are
    those that `map:` of an entity may name.
    """
    fields = app.list_fields(name, project.project, resource=resource)
    resources = app.list_resources(name, project.project)
    if resource is not None:
        facts = next(one for one in resources if one["resource"] == resource)
        value = {"connector": name, "resource": resource, "facts": facts, "fields": fields[resource]}
        print_result(output, value, render_pairs(facts), render_list(fields[resource], empty="no fields"), paged=True)
        return
    manifest = app.load_connector(name, project.project)
    facts = {
        "connector": manifest.connector,
        "title": manifest.title,
        "base URL": manifest.base_url,
        "settings": list(manifest.settings),
        "secrets": list(manifest.secrets),
        "confidence": manifest.confidence,
    }
    resources_table = render_table(list(resources[0]), [list(one.values()) for one in resources], title="Resources")
    note = Text(f"`headwater connector show {name} --resource NAME` lists the fields of a resource", style="dim")
    value = {**manifest.model_dump(mode="json"), "reads": resources, "fields_by_resource": fields}
    print_result(output, value, render_pairs(facts), resources_table, note)


@commands.command()
@expand_options
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name: lower-case letters, digits and `_`.")],
    project: ProjectOptions,
    output: OutputOptions,
    *,
    openapi: Annotated[
        Path | None,
        typer.Option("--openapi", metavar="SPEC", help="Draft it from an OpenAPI description, JSON or YAML."),
    ] = None,
) -> None:
    """Create a connector in the project folder connectors/NAME."""
    folder: Path = project.project / "connectors" / name
    created = app.write_connector(folder, name, openapi)
    lines = [Text(f"wrote {path}") for path in created.written]
    if openapi is not None:
        manifest = created.written[0].name
        resources, decisions = format_count(created.resources, "resource"), format_count(created.decisions, "decision")
        lines.append(Text(f"{resources}, {decisions} left: `# decide:` in {manifest}"))
        if created.left_out:
            lines.append(Text(f"{format_count(len(created.left_out), 'path')} left out, see the end of {manifest}"))
    print_result(output, to_plain(created), *lines)


@commands.command()
@expand_options
def test(
    name: Annotated[str, typer.Argument(metavar="NAME|FOLDER", help="The connector, or its folder.")],
    arguments: ConnectorTestArguments,
    project: ProjectOptions,
    output: OutputOptions,
) -> int:
    """Test a connector against a simulated, faulty service.

    The service is simulated from the manifest. The connector runs against it as in `headwater run`, in a temporary project.
    The service refuses, breaks, loses and repeats pages, moves records while they are read, and more. No record may be
    lost, doubled, or sent elsewhere without a report. Nothing is sent to the real service.
    """
    plugin = app.find_connector(name, project.project)
    recordings = app.find_recordings(plugin, project.project)
    with catch_signals(_NOTE) as stop, show_progress() as listen:
        report = app.run_connector_test(plugin, arguments.build_options(recordings, stop), listen)
    value = {**to_plain(report), "outcome": report.outcome, "exit_code": report.exit_code}
    print_result(output, value, *render_report(report))
    return report.exit_code


@commands.command()
@expand_options
def record(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connector.")],
    project: ProjectOptions,
    tenant: TenantOption,
    output: OutputOptions,
    *,
    connection: Annotated[
        str, typer.Option("--connection", metavar="NAME", help="The connection that reads the pages.")
    ],
    resource: Annotated[
        list[str], typer.Option("--resource", metavar="NAME", help="Record this resource. You can repeat this option.")
    ] = (),  # type: ignore[assignment] # typer reads the type, and an empty default must not be shared
    pages: Annotated[int, typer.Option("--pages", metavar="N", min=1, help="The most pages of a resource.")] = 2,
) -> int:
    """Record the first pages of each resource, for `connector test`.

    The pages are kept in connectors/NAME/recordings, without credentials, e-mail addresses and the fields that the manifest
    lists as `personal`. Look through them before you share them.
    """
    options = app.RecordOptions(connection=connection, resources=tuple(resource), pages=pages)
    with app.open_project(project.project, environment=project.environment) as workspace:
        recorded = app.record_pages(app.choose_tenant(workspace, tenant.tenant), name, options)
    failed = sum(bool(one.error) for one in recorded)
    rows = [(one.resource, one.pages, one.records, one.error or one.file) for one in recorded]
    table = render_table(("resource", "pages", "records", "file or error"), rows)
    print_result(output, {"connector": name, "recorded": to_plain(recorded)}, table)
    return 0 if not failed else 1 if failed == len(recorded) else 3
