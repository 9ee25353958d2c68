"""The upper half of a plan: which entities have news, and which tables of gold are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from headwater.plan.dependencies import Dependencies
from headwater.plan.state import RunRequest, TenantState
from headwater.plan.step import BuildDimension, Conform, LoadFact, Publish, Step


def plan_star(
    view: Dependencies,
    state: TenantState,
    request: RunRequest,
    *,
    landing: Mapping[str, Sequence[str]],
    pending: Set[str],
) -> tuple[Step, ...]:
    """Conforming, building, loading, publishing.

    `landing`: by source, the landings to wait for. `pending`: sources of which something landed earlier.
    """
    news = pending | {source for source, lands in landing.items() if lands}
    turned = frozenset() if _is_narrow(request) else state.schema_decisions.keys()
    changed = frozenset(entity for entity, sources in view.entities.items() if sources & news or entity in turned)
    gold = _select_gold(view, state, request, changed=changed if request.includes_layer("silver") else frozenset())
    made_of = changed | gold.entities if _is_narrow(request) else frozenset(view.entities)
    conforms = [
        _plan_conform(view, state, entity, landing=landing, pending=pending)
        for entity in view.entities
        if request.includes_layer("silver")
        and (entity in changed or (entity in made_of and _is_build_needed(state, entity)))
    ]
    tables = _plan_tables(view, state, gold, conforms)
    return (
        *conforms,
        *tables,
        *_plan_publish(state, view.publish, tables),
        *_plan_publish(state, view.publish_silver, conforms),
    )


def _plan_publish(state: TenantState, names: Iterable[str], steps: Iterable[Step]) -> tuple[Publish, ...]:
    """Publishing waits for every table to be right: readers get a whole state or keep the one they have."""
    after = tuple(step.id for step in steps)
    return tuple(Publish(tenant=state.tenant, name=name, after=after) for name in names if after)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gold:
    """Which tables of gold are worked on, and the entities that they are made of."""

    dimensions: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()
    entities: frozenset[str] = frozenset()


def _select_gold(view: Dependencies, state: TenantState, request: RunRequest, *, changed: Set[str]) -> _Gold:
    """Tables made of a changed entity, tables that do not exist yet, and whatever those need to exist.

    A table that is planned and has no news costs little: gold itself knows how far it has consumed each entity.
    """
    if not request.includes_layer("gold"):
        return _Gold()
    whole = "gold" in request.layers
    dimensions = {
        name
        for name, entities in view.dimensions.items()
        if whole or entities & changed or _is_missing(state, request, f"gold.dim_{name}")
    }
    facts = {
        name
        for name, needed in view.facts.items()
        if whole
        or needed.entities & changed
        or needed.dimensions & dimensions
        or _is_missing(state, request, f"gold.fact_{name}")
    }
    looked_up = frozenset[str]().union(*(view.facts[name].dimensions for name in facts))
    dimensions |= {name for name in looked_up & view.dimensions.keys() if f"gold.dim_{name}" not in state.built}
    entities = frozenset[str]().union(
        *(view.dimensions[name] for name in dimensions), *(view.facts[name].entities for name in facts)
    )
    return _Gold(dimensions=frozenset(dimensions), facts=frozenset(facts), entities=entities)


def _is_missing(state: TenantState, request: RunRequest, table: str) -> bool:
    """Whether a table is made because it is not there; not when only some connections or resources were asked for."""
    return table not in state.built and not _is_narrow(request)


def _is_build_needed(state: TenantState, entity: str) -> bool:
    """Whether the tables of an entity are not there, or not as gold would read them."""
    return f"silver.{entity}" not in state.built or entity in state.schema_decisions


def _is_narrow(request: RunRequest) -> bool:
    return bool(request.connections or request.resources)


def _plan_conform(
    view: Dependencies, state: TenantState, entity: str, *, landing: Mapping[str, Sequence[str]], pending: Set[str]
) -> Conform:
    sources = view.entities[entity]
    after = tuple(land for source in sorted(sources) for land in landing.get(source, ()))
    # what landed earlier is merged even where all of today's reads fail
    turned = state.schema_decisions.get(entity)
    alone = not after or bool(sources & pending) or turned is not None
    anew = turned.reason if turned is not None and turned.rebuild else ""
    return Conform(
        tenant=state.tenant, entity=entity, rebuild_reason=anew, after=after, needs="none" if alone else "any"
    )


def _plan_tables(
    view: Dependencies, state: TenantState, gold: _Gold, conforms: Iterable[Conform]
) -> tuple[BuildDimension | LoadFact, ...]:
    conformed = {conform.entity: conform.id for conform in conforms}
    dimensions = {
        name: BuildDimension(tenant=state.tenant, name=name, after=_select_ids(conformed, entities))
        for name, entities in view.dimensions.items()
        if name in gold.dimensions
    }
    built = {name: dimension.id for name, dimension in dimensions.items()}
    facts = [
        LoadFact(
            tenant=state.tenant,
            name=name,
            after=_select_ids(conformed, needed.entities) + _select_ids(built, needed.dimensions),
        )
        for name, needed in view.facts.items()
        if name in gold.facts
    ]
    return (*dimensions.values(), *facts)


def _select_ids(ids: Mapping[str, str], names: Set[str]) -> tuple[str, ...]:
    return tuple(step for name, step in ids.items() if name in names)
