"""The state of the queue of a project, and its pause."""

from __future__ import annotations

from headwater.ledger.queue.overview import read_overview
from headwater.ledger.queue.records import QueueStatus
from headwater.run.queue.job import read_checkout
from headwater.run.queue.open import open_queue
from headwater.run.workspace import Workspace


def read_queue_status(workspace: Workspace, *, environment: str = "") -> QueueStatus:
    """The state of the queue of a project. StateError if it has none yet."""
    with open_queue(workspace, environment=environment, create=False) as queue:
        return read_overview(queue, read_checkout(workspace.root).name_queue(queue.scope))


def pause_queue(workspace: Workspace, *, environment: str = "") -> bool:
    """Let workers take no more jobs. False if the queue was paused already."""
    with open_queue(workspace, environment=environment, create=False) as queue:
        return queue.pause()


def resume_queue(workspace: Workspace, *, environment: str = "") -> bool:
    """Let workers take jobs again. False if the queue was not paused."""
    with open_queue(workspace, environment=environment, create=False) as queue:
        return queue.resume()
