"""Show, pause or resume the queue of tenants."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from rich.console import RenderableType
from rich.text import Text

from headwater.cli.extras import require_extra
from headwater.cli.options import OutputOptions, ProjectOptions, expand_options
from headwater.cli.output import print_result, to_plain
from headwater.cli.render import format_count, render_pairs, render_table
from headwater.run import app
from headwater.run.app import QueueStatus

commands = typer.Typer(name="queue", rich_markup_mode=None, add_completion=False)


@commands.callback()
def queue() -> None:
    """Show, pause or resume the queue of tenants."""


@commands.command()
@expand_options
def status(project: ProjectOptions, output: OutputOptions) -> None:
    """Show what waits, what runs and where, and what failed."""
    require_extra("queue", "procrastinate")
    with app.open_project(project.project, environment=project.environment) as workspace:
        state = app.read_queue_status(workspace, environment=project.environment)
    print_result(output, to_plain(state), *_render(state))


@commands.command()
@expand_options
def pause(project: ProjectOptions, output: OutputOptions) -> None:
    """Let workers take no more tenants. Those in progress go on."""
    require_extra("queue", "procrastinate")
    with app.open_project(project.project, environment=project.environment) as workspace:
        is_new = app.pause_queue(workspace, environment=project.environment)
    text = "paused; `headwater queue resume` resumes it" if is_new else "the queue was paused already"
    print_result(output, {"paused": True, "changed": is_new}, Text(text))


@commands.command()
@expand_options
def resume(project: ProjectOptions, output: OutputOptions) -> None:
    """Let workers take tenants again."""
    require_extra("queue", "procrastinate")
    with app.open_project(project.project, environment=project.environment) as workspace:
        is_new = app.resume_queue(workspace, environment=project.environment)
    text = "resumed" if is_new else "the queue was not paused"
    print_result(output, {"paused": False, "changed": is_new}, Text(text))


def _render(state: QueueStatus) -> Iterator[RenderableType]:
    alive = [worker for worker in state.workers if worker.is_alive]
    yield render_pairs(
        {
            "queue": state.queue,
            "state": f"paused since {state.paused_at:%Y-%m-%d %H:%M:%S} UTC" if state.paused_at else "open",
            "waiting": state.waiting,
            "oldest waiting": state.oldest_waiting or "none",
            "running": len(state.running),
            "workers alive": len(alive),
        }
    )
    if state.first:
        rows = [(job.tenant, job.queued_at, job.not_before or "", job.attempts) for job in state.first]
        yield render_table(("tenant", "queued at", "not before", "attempts"), rows, title="Next")
    if state.running:
        running = [(job.tenant, job.worker, job.since) for job in state.running]
        yield render_table(("tenant", "worker", "since"), running, title="Running")
    if state.failed:
        failures = [
            (one.tenant, one.outcome, one.ended_at, (one.error or {}).get("message", "")) for one in state.failed
        ]
        yield render_table(("tenant", "outcome", "ended at", "first error"), failures, title="Failed lately")
    if state.workers:
        workers = [
            (
                one.worker,
                one.jobs,
                one.since,
                one.heartbeat,
                _describe(is_alive=one.is_alive, is_current=one.is_current),
            )
            for one in state.workers
        ]
        yield render_table(("worker", "jobs", "since", "heartbeat", "state"), workers, title="Workers")
    yield from _render_hints(state, has_worker=any(worker.is_current for worker in alive))


def _describe(*, is_alive: bool, is_current: bool) -> str:
    if not is_alive:
        return "dead; another worker takes up its jobs"
    return "alive" if is_current else "alive, with another version of the project"


def _render_hints(state: QueueStatus, *, has_worker: bool) -> Iterator[RenderableType]:
    for name, count in state.other_queues.items():
        jobs = format_count(count, "job")
        yield Text(f"{jobs} for another version of this project, or another project, in the queue {name}")
    if state.waiting and not has_worker:
        yield Text("No worker serves this queue: start `headwater worker`.", style="dim")
