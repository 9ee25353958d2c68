"""Checks a manifest as a whole: its placeholders must be known, its fields differ as columns, and its paths name fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from headwater.errors import DeclarationError, DeclarationErrors
from headwater.model.check.twin_columns import find_twin_columns
from headwater.model.connector import Connector
from headwater.model.resource import Resource
from headwater.names import did_you_mean
from headwater.wire.body import find_body_names
from headwater.wire.cursor import ChangeFilter, Cursor, DeleteFlag, DeleteMark, Delta, IdSweep
from headwater.wire.paging.kinds import Paging
from headwater.wire.paging.next_url import NextUrl
from headwater.wire.paging.token import Token
from headwater.wire.template import find_placeholders

_BOUNDS = ("since", "until")
"""The placeholders of a cursor."""


def check_connector(connector: Connector) -> None:
    """Raise DeclarationErrors with all errors of a manifest, if there are any."""
    errors = [
        *_check_texts(connector),
        *_check_auth(connector),
        *_check_answer(connector),
        *_check_cursors(connector),
        *_check_resources(connector),
        *_check_fields(connector),
        *_check_bodies(connector),
        *_check_deltas(connector),
        *_check_marks(connector),
    ]
    if errors:
        raise DeclarationErrors(errors)


def _check_texts(connector: Connector) -> Iterator[DeclarationError]:
    """The texts that a connection fills with its settings have no other placeholder."""
    texts: dict[tuple[str, ...], str] = {("base_url",): connector.base_url}
    texts |= {("params", name): text for name, text in connector.params.items()}
    texts |= {("headers", name): text for name, text in connector.headers.items()}
    if connector.lookup is not None:
        texts |= {("lookup", "params", name): text for name, text in connector.lookup.params.items()}
    for path, text in texts.items():
        known = {*connector.settings, *(connector.list_answer_names() if path == ("base_url",) else ())}
        for name in find_placeholders(text):
            if name not in known:
                where = connector.origin.find_location(*path)
                yield DeclarationError(
                    f"`{'.'.join(path)}` uses `{{{name}}}`, which is not a setting.",
                    where=where,
                    details=text,
                    hint=_find_hint(connector, name),
                )


def _check_auth(connector: Connector) -> Iterator[DeclarationError]:
    """The placeholders of `auth:` are settings or secrets."""
    known = {*connector.settings, *connector.secrets}
    for path, text in connector.auth.texts.items():
        for name in find_placeholders(text):
            if name in known & connector.auth.own_placeholders:
                yield DeclarationError(
                    f"`auth` of this kind sets `{{{name}}}` itself, so it cannot be a setting or a secret.",
                    where=connector.origin.find_location("auth", *path.split(".")[1:]),
                    details=text,
                    hint=f"give the setting or the secret `{name}` another name",
                )
            if name not in known | connector.auth.own_placeholders:
                yield DeclarationError(
                    f"`auth` uses `{{{name}}}`, which is neither a setting nor a secret.",
                    where=connector.origin.find_location("auth", *path.split(".")[1:]),
                    details=text,
                    hint=did_you_mean(name, known) or f"declare `{name}:` under `secrets:`",
                )


def _check_answer(connector: Connector) -> Iterator[DeclarationError]:
    """A base URL in a token answer is checked against `hosts:`, and nothing else may say another base URL."""
    names = connector.list_answer_names()
    where = connector.origin.find_location("base_url")
    if names and not connector.hosts:
        yield DeclarationError(
            "`base_url` has a value of the token answer, and `hosts:` allows no host.",
            where=where,
            details=connector.base_url,
            hint="add the hosts of the service, e.g. `hosts: [login.example.com, '*.example.com']`",
        )
    if names and connector.lookup is not None:
        yield DeclarationError(
            "`base_url` has a value of the token answer, and `lookup:` asks for another base URL.",
            where=where,
            details=connector.base_url,
            hint="remove one of them",
        )
    for name in sorted(connector.auth.answer_names - names):
        yield DeclarationError(
            f"`base_url` does not use `{{{name}}}` of the token answer.",
            where=connector.origin.find_location("auth", "answer", name),
            details=connector.base_url,
            hint="use it in `base_url`, or remove it from `answer:`",
        )


def _check_cursors(connector: Connector) -> Iterator[DeclarationError]:
    """The parameters of a cursor have no placeholder but the bounds of a window."""
    cursors: list[tuple[tuple[str, ...], Cursor | None]] = [(("cursor",), connector.cursor)]
    cursors += [
        (("resources", str(number), "cursor"), resource.cursor) for number, resource in enumerate(connector.resources)
    ]
    for path, cursor in cursors:
        if not isinstance(cursor, ChangeFilter):
            continue
        for name in find_placeholders(cursor.zone):
            if name not in connector.settings:
                yield DeclarationError(
                    f"`zone` uses `{{{name}}}`, which is not a setting.",
                    where=connector.origin.find_location(*path, "zone"),
                    details=cursor.zone,
                    hint=_find_hint(connector, name),
                )
        for part, params in (("params", cursor.params), ("first", cursor.first)):
            for param, text in params.items():
                for name in find_placeholders(text):
                    if name not in _BOUNDS:
                        yield DeclarationError(
                            f"`{{{name}}}` is not replaced in `{part}` of a cursor.",
                            where=connector.origin.find_location(*path, part, param),
                            details=text,
                            hint=_find_cursor_hint(connector, name),
                        )


def _find_cursor_hint(connector: Connector, name: str) -> str:
    if name in {*connector.settings, *connector.secrets}:
        return "put it into `params:` of the connector, or into `auth:` if it is a secret"
    return did_you_mean(name, _BOUNDS)


def _find_hint(connector: Connector, name: str) -> str:
    """What to do about a placeholder that is not a setting."""
    if name in connector.secrets:
        return "a secret is sent only by `auth:`, e.g. auth: {kind: query, params: …} or {kind: headers, headers: …}"
    return did_you_mean(name, connector.settings) or f"declare `{name}:` under `settings:`"


def _check_resources(connector: Connector) -> Iterator[DeclarationError]:
    """Resources have no placeholder of a connection, because it would be sent as it is written."""
    known = {*connector.settings, *connector.secrets}
    for number, resource in enumerate(connector.resources):
        allowed = {"parent"} if resource.parent else set()
        for path, text in _list_resource_texts(resource):
            for name in find_placeholders(text):
                if (name in known) if path != ("path",) else (name not in allowed):
                    yield DeclarationError(
                        f"`{{{name}}}` is not replaced in `{_name_part(path)}` of `{resource.resource}`.",
                        where=connector.origin.find_location("resources", str(number), *path),
                        details=text,
                        hint="only `{parent}` is replaced in a path, if the resource has a `parent:`"
                        if path == ("path",)
                        else "put it into `params:` of the connector, or into `auth:` if it is a secret",
                    )


def _list_resource_texts(resource: Resource) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts of a resource that requests contain, with their paths."""
    yield ("path",), resource.path
    yield from ((("params", name), text) for name, text in resource.params.items())
    if isinstance(resource.deletes, IdSweep):
        yield from ((("deletes", "params", name), text) for name, text in resource.deletes.params.items())
    if resource.verify is not None:
        yield from ((("verify", "params", name), text) for name, text in resource.verify.params.items())


def _name_part(path: tuple[str, ...]) -> str:
    """The part of a resource at a path, without the name of the parameter."""
    return ".".join(path[:-1]) or path[0]


def _check_bodies(connector: Connector) -> Iterator[DeclarationError]:
    """A body contains only parameters that something sets, because the others are left out without a word."""
    for number, declared in enumerate(connector.resources):
        resource = connector.with_defaults(declared)
        if resource.body is None:
            continue
        known = {*connector.params, *resource.params, resource.fields_param, *_list_paging_params(resource.paging)}
        known |= set(resource.cursor.params) if isinstance(resource.cursor, ChangeFilter) else set()
        known |= set(resource.deletes.params) if isinstance(resource.deletes, IdSweep) else set()
        for name in sorted(find_body_names(resource.body) - known):
            yield DeclarationError(
                f"`{{{name}}}` in the body of `{resource.resource}` is no parameter of its requests.",
                where=connector.origin.find_location("resources", str(number), "body"),
                details=", ".join(sorted(known - {""})) or "no parameters",
                hint=did_you_mean(name, known - {""}) or "`params:`, the cursor and the paging set parameters",
            )


def _list_paging_params(paging: Paging | None) -> set[str]:
    names = {getattr(paging, "param", ""), getattr(paging, "size_param", "")}
    anchor = paging.anchor if isinstance(paging, Token) else None
    return names | ({anchor.param} if anchor else set()) | (set(paging.first) if isinstance(paging, Token) else set())


def _check_deltas(connector: Connector) -> Iterator[DeclarationError]:
    """A delta continues from a position of the paging, and of one collection."""
    for number, declared in enumerate(connector.resources):
        resource = connector.with_defaults(declared)
        if not isinstance(resource.cursor, Delta):
            continue
        where = connector.origin.find_location("resources", str(number), "cursor")
        if not isinstance(resource.paging, NextUrl | Token):
            yield DeclarationError(
                f"`{resource.resource}` needs the paging `next_url` or `token` for its delta.",
                where=where,
                details=resource.paging.kind if resource.paging else "no paging",
                hint="its link is read like a URL or a token of a next page",
            )
        if resource.parent is not None:
            yield DeclarationError(
                f"`{resource.resource}` cannot have both a delta and a parent.",
                where=where,
                details=resource.parent.resource,
                hint="use `cursor: {kind: snapshot}` for it",
            )


def _check_marks(connector: Connector) -> Iterator[DeclarationError]:
    """The field that marks deleted records must be in bronze."""
    for number, resource in enumerate(connector.resources):
        mark = resource.deletes
        if isinstance(mark, DeleteMark) and not resource.contract and mark.field not in resource.fields:
            yield DeclarationError(
                f"`{resource.resource}` has no field `{mark.field}`, which marks its deletes.",
                where=connector.origin.find_location("resources", str(number), "deletes"),
                details=", ".join(resource.fields),
                hint=did_you_mean(mark.field, resource.fields) or f"add `{mark.field}` to `fields:`",
            )


def _check_fields(connector: Connector) -> Iterator[DeclarationError]:
    for number, resource in enumerate(connector.resources):
        for first, second in find_twin_columns(resource.fields):
            yield DeclarationError(
                f"`{resource.resource}` has two fields with the same column.",
                where=connector.origin.find_location("resources", str(number), "fields", second),
                details=f"{first}, {second}",
                hint="names of columns ignore case, and `.` becomes `_`: remove one of the fields",
            )
        for path, field in _list_paths(connector.with_defaults(resource)) if resource.fields else ():
            if not _is_declared(field, resource.fields):
                yield DeclarationError(
                    f"`{'.'.join(path)}` of `{resource.resource}` names a field that is not declared.",
                    where=connector.origin.find_location("resources", str(number), *path),
                    details=field,
                    hint=f"{did_you_mean(field, resource.fields)}; or declare it under `fields:`",
                )


def _list_paths(resource: Resource) -> Iterator[tuple[tuple[str, ...], str]]:
    """The keys of a resource that name one of its fields, with the name."""
    yield from ((("key",), field) for field in resource.key)
    # The stamp is read from the record as it was sent, so it may be a field that is not stored. But not a misspelled one.
    if isinstance(resource.cursor, ChangeFilter) and _is_similar(resource.cursor.field, resource.fields):
        yield ("cursor", "field"), resource.cursor.field
    if isinstance(resource.deletes, DeleteFlag):
        yield ("deletes", "field"), resource.deletes.field


def _is_similar(field: str, fields: Collection[str]) -> bool:
    return did_you_mean(field, fields).startswith("did you mean")


def _is_declared(field: str, fields: Collection[str]) -> bool:
    """Whether a field, or an object that contains it, is declared."""
    steps = field.split(".")
    return any(".".join(steps[:count]) in fields for count in range(1, len(steps) + 1))
