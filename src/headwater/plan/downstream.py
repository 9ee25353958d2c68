"""Plans the steps after landing: entities with new batches, and the tables of gold that depend on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from headwater.plan.dependencies import Dependencies
from headwater.plan.state import RunRequest, TenantState
from headwater.plan.step import BuildDimension, Conform, LoadFact, Publish, Step


def plan_star(
    dependencies: Dependencies,
    state: TenantState,
    request: RunRequest,
    *,
    landing: Mapping[str, Sequence[str]],
    pending: Set[str],
) -> tuple[Step, ...]:
    """Plan the steps Conform, BuildDimension, LoadFact and Publish.

    `landing`: the ids of the Land steps of each source. `pending`: sources with batches that landed earlier.
    """
    updated_sources = pending | {source for source, lands in landing.items() if lands}
    redeclared = frozenset() if _is_narrow(request) else state.schema_decisions.keys()
    changed = frozenset(
        entity for entity, sources in dependencies.entities.items() if sources & updated_sources or entity in redeclared
    )
    gold = _select_gold(
        dependencies, state, request, changed=changed if request.includes_layer("silver") else frozenset()
    )
    inputs = changed | gold.entities if _is_narrow(request) else frozenset(dependencies.entities)
    conforms = [
        _plan_conform(dependencies, state, entity, landing=landing, pending=pending)
        for entity in dependencies.entities
        if request.includes_layer("silver")
        and (entity in changed or (entity in inputs and _is_build_needed(state, entity)))
    ]
    tables = _plan_tables(dependencies, state, gold, conforms)
    return (
        *conforms,
        *tables,
        *_plan_publish(state, dependencies.publish, tables, is_due=request.includes_layer("gold")),
        *_plan_publish(state, dependencies.publish_silver, conforms, is_due=request.includes_layer("silver")),
    )


def _plan_publish(
    state: TenantState, names: Iterable[str], steps: Iterable[Step], *, is_due: bool
) -> tuple[Publish, ...]:
    """Publish depends on all tables, so that readers get a complete state or keep the previous one.

    With `is_due`, publications that are new or failed are written even if no table is built.
    """
    after = tuple(step.id for step in steps)
    return tuple(
        Publish(tenant=state.tenant, name=name, after=after)
        for name in names
        if after or (is_due and name in state.unpublished and state.built)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gold:
    """The tables of gold in the plan, and their source entities."""

    dimensions: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()
    entities: frozenset[str] = frozenset()


def _select_gold(dependencies: Dependencies, state: TenantState, request: RunRequest, *, changed: Set[str]) -> _Gold:
    """Tables with a changed source entity, tables that do not exist yet, and the tables that these need.

    A planned table without changes costs little, because gold tracks how far it has consumed each entity.
    """
    if not request.includes_layer("gold"):
        return _Gold()
    all_tables = "gold" in request.layers
    dimensions = {
        name
        for name, entities in dependencies.dimensions.items()
        if all_tables or entities & changed or _is_missing(state, request, f"gold.dim_{name}")
    }
    facts = {
        name
        for name, needed in dependencies.facts.items()
        if all_tables
        or needed.entities & changed
        or needed.dimensions & dimensions
        or _is_missing(state, request, f"gold.fact_{name}")
    }
    looked_up = frozenset[str]().union(*(dependencies.facts[name].dimensions for name in facts))
    dimensions |= {name for name in looked_up & dependencies.dimensions.keys() if f"gold.dim_{name}" not in state.built}
    entities = frozenset[str]().union(
        *(dependencies.dimensions[name] for name in dimensions), *(dependencies.facts[name].entities for name in facts)
    )
    return _Gold(dimensions=frozenset(dimensions), facts=frozenset(facts), entities=entities)


def _is_missing(state: TenantState, request: RunRequest, table: str) -> bool:
    """Whether a table must be created. False if the request names connections or resources."""
    return table not in state.built and not _is_narrow(request)


def _is_build_needed(state: TenantState, entity: str) -> bool:
    """Whether the tables of an entity do not exist, or do not match its declaration."""
    return f"silver.{entity}" not in state.built or entity in state.schema_decisions


def _is_narrow(request: RunRequest) -> bool:
    return bool(request.connections or request.resources)


def _plan_conform(
    dependencies: Dependencies,
    state: TenantState,
    entity: str,
    *,
    landing: Mapping[str, Sequence[str]],
    pending: Set[str],
) -> Conform:
    sources = dependencies.entities[entity]
    after = tuple(land for source in sorted(sources) for land in landing.get(source, ()))
    # batches that landed earlier are merged even if all reads of this run fail
    redeclared = state.schema_decisions.get(entity)
    independent = not after or bool(sources & pending) or redeclared is not None
    rebuild_reason = redeclared.reason if redeclared is not None and redeclared.rebuild else ""
    return Conform(
        tenant=state.tenant,
        entity=entity,
        rebuild_reason=rebuild_reason,
        after=after,
        needs="none" if independent else "any",
    )


def _plan_tables(
    dependencies: Dependencies, state: TenantState, gold: _Gold, conforms: Iterable[Conform]
) -> tuple[BuildDimension | LoadFact, ...]:
    conformed = {conform.entity: conform.id for conform in conforms}
    dimensions = {
        name: BuildDimension(tenant=state.tenant, name=name, after=_select_ids(conformed, entities))
        for name, entities in dependencies.dimensions.items()
        if name in gold.dimensions
    }
    built = {name: dimension.id for name, dimension in dimensions.items()}
    facts = [
        LoadFact(
            tenant=state.tenant,
            name=name,
            after=_select_ids(conformed, needed.entities) + _select_ids(built, needed.dimensions),
        )
        for name, needed in dependencies.facts.items()
        if name in gold.facts
    ]
    return (*dimensions.values(), *facts)


def _select_ids(ids: Mapping[str, str], names: Set[str]) -> tuple[str, ...]:
    return tuple(step for name, step in ids.items() if name in names)
