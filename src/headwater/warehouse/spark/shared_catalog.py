"""Delta tables in a persistent catalog. A transaction records its changes in an undo table there."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from headwater.errors import WarehouseError
from headwater.names import quote_literal
from headwater.warehouse.base import SchemaName, TableColumn
from headwater.warehouse.spark import ddl
from headwater.warehouse.spark.ddl import quote_name

Run = Callable[[str], Any]
"""Runs a statement in Spark's dialect."""

_UNDO_TABLE = "_undo"
"""The undo table, in `meta`."""

_DROPPED_PREFIX = "_gone_"
"""The prefix of the names of tables that an open transaction has dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _UndoNote:
    """A change to undo: a table's version, a table that was created or renamed, the former SELECT of a view."""

    kind: str
    layer: SchemaName
    name: str
    version: int = -1
    text: str = ""


class CatalogTables:
    """The tables of a tenant in the catalog.

    There is no lock: the lease in the ledger separates runs, and Delta rejects the second of two conflicting changes.
    """

    def __init__(self, tenant: str, *, databases: Mapping[SchemaName, str], path: str, run: Run, schema: Run) -> None:
        self._tenant = tenant
        self._databases = databases
        self._path = path.rstrip("/")
        self._run = run
        self._schema = schema
        self._notes: dict[tuple[str, str, str], _UndoNote] = {}

    def open(self) -> None:
        """Do nothing: the next writer undoes the changes of a crashed writer."""

    def close(self) -> None:
        """Do nothing: the catalog is shared."""

    @contextmanager
    def read_scope(self) -> Iterator[None]:
        """Do nothing: the catalog is always current."""
        yield

    def begin(self) -> None:
        """Begin a transaction: undo the changes of a crashed writer."""
        self._notes = {}
        if not self._exists(self._databases["meta"], _UNDO_TABLE):
            return
        rows = self._run(f"SELECT * FROM {self._undo_ref} ORDER BY place DESC").collect()
        if rows:
            self._undo([_UndoNote(kind=r[1], layer=r[2], name=r[3], version=r[4], text=r[5]) for r in rows])

    def commit(self) -> None:
        """Commit all changes since `begin`."""
        if not self._notes:
            return
        gone = [note for note in self._notes.values() if note.kind == "gone"]
        self._run(f"DELETE FROM {self._undo_ref}")
        self._notes = {}
        for note in gone:
            self._run(f"DROP TABLE IF EXISTS {self._ref(note.layer, note.text)}")

    def roll_back(self) -> None:
        """Undo all changes since `begin`. The next writer undoes what fails now."""
        notes, self._notes = [*reversed(self._notes.values())], {}
        if notes:
            self._undo(notes)

    def _undo(self, notes: Sequence[_UndoNote]) -> None:
        """Undo the recorded changes, the newest first."""
        for note in notes:
            ref = self._ref(note.layer, note.name)
            exists = self._exists(self._databases[note.layer], note.name)
            if note.kind == "made" and exists:
                self._run(f"DROP TABLE {ref}")
            elif note.kind == "gone" and self._exists(self._databases[note.layer], note.text):
                self._run(f"ALTER TABLE {self._ref(note.layer, note.text)} RENAME TO {ref}")
            elif note.kind == "version" and exists and self.read_version(note.layer, note.name) != note.version:
                self._run(f"RESTORE TABLE {ref} TO VERSION AS OF {note.version}")
            elif note.kind == "view":
                self._run(f"CREATE OR REPLACE VIEW {ref} AS {note.text}" if note.text else f"DROP VIEW IF EXISTS {ref}")
        self._run(f"DELETE FROM {self._undo_ref}")

    def _record(self, note: _UndoNote) -> None:
        """Record a change before it happens, for undo if the transaction fails."""
        key = (note.kind, note.layer, note.name)
        if key in self._notes:
            return
        if not self._notes and not self._exists(self._databases["meta"], _UNDO_TABLE):
            self.prepare()
            columns = "place INT, kind STRING, layer STRING, name STRING, version BIGINT, text STRING"
            self._run(f"CREATE TABLE IF NOT EXISTS {self._undo_ref} ({columns}) USING delta")
        texts = ", ".join(map(quote_literal, (note.kind, note.layer, note.name)))
        # A backslash in a text would begin an escape.
        text = quote_literal(note.text).replace("\\", "\\\\")
        self._run(f"INSERT INTO {self._undo_ref} VALUES ({len(self._notes)}, {texts}, {note.version}, {text})")
        self._notes[key] = note

    def prepare(self) -> None:
        """Create the databases if they are missing."""
        for database in self._databases.values():
            location = f" LOCATION {quote_literal(f'{self._path}/{database}')}" if self._path else ""
            properties = f"WITH DBPROPERTIES ('headwater.tenant' = {quote_literal(self._tenant)})"
            self._run(f"CREATE DATABASE IF NOT EXISTS {quote_name(database)}{location} {properties}")
            self._check_owner(database)

    def _check_owner(self, database: str) -> None:
        """Raise WarehouseError if a database belongs to another tenant."""
        description = " ".join(
            str(row[1]) for row in self._run(f"DESCRIBE DATABASE EXTENDED {quote_name(database)}").collect()
        )
        match = re.search(r"headwater\.tenant,\s*([a-z0-9_-]+)", description)
        if match and match[1] != self._tenant:
            raise WarehouseError(
                f"the database `{database}` belongs to another tenant",
                where="the Spark catalog",
                details=f"tenant {match[1]}, wanted {self._tenant}",
                hint="Spark names have no hyphens: tenants `a-b` and `a_b` need separate catalogs",
            )

    @property
    def _undo_ref(self) -> str:
        return self._ref("meta", _UNDO_TABLE)

    def _ref(self, layer: SchemaName, name: str) -> str:
        return f"{quote_name(self._databases[layer])}.{quote_name(name)}"

    def _exists(self, database: str, name: str) -> bool:
        return name in self._list_names(database)

    def _list_names(self, database: str, what: str = "TABLES") -> list[str]:
        """Return the tables and views of a database, or only its views."""
        if not self._run(f"SHOW DATABASES LIKE {quote_literal(database)}").collect():
            return []
        return [row[1] for row in self._run(f"SHOW {what} IN {quote_name(database)}").collect() if not row[2]]

    def describe(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """Return the columns of a stored table, or None if it does not exist."""
        if not self._exists(self._databases[layer], name) or self.is_view(layer, name):
            return None
        return ddl.parse_columns(self._schema(self._ref(layer, name)))

    def is_view(self, layer: SchemaName, name: str) -> bool:
        """Whether there is a view of that name."""
        return name in self._list_names(self._databases[layer], "VIEWS")

    def list_names(self, layer: SchemaName) -> tuple[str, ...]:
        """Return the names of tables and views of a layer, sorted."""
        names = self._list_names(self._databases[layer])
        return tuple(sorted(name for name in names if name != _UNDO_TABLE and not name.startswith(_DROPPED_PREFIX)))

    def make(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Create an empty table."""
        self._record(_UndoNote(kind="made", layer=layer, name=name))
        columns_sql = ", ".join(map(ddl.column_sql, columns))
        self._run(f"CREATE TABLE {self._ref(layer, name)} ({columns_sql}) USING delta")

    def drop(self, layer: SchemaName, name: str) -> None:
        """Drop a table or view. A table is renamed, and dropped at the commit."""
        ref = self._ref(layer, name)
        if self.is_view(layer, name):
            self._record(_UndoNote(kind="view", layer=layer, name=name, text=self._read_view(ref)))
            self._run(f"DROP VIEW {ref}")
        elif self._exists(self._databases[layer], name):
            if ("made", layer, name) in self._notes:
                self._run(f"DROP TABLE {ref}")
                return
            dropped_name = f"{_DROPPED_PREFIX}{name}_{uuid.uuid4().hex[:8]}"
            self._record(_UndoNote(kind="gone", layer=layer, name=name, text=dropped_name))
            self._run(f"DROP FUNCTION IF EXISTS {self._ref(layer, f'{name}_asof')}")
            self._run(f"ALTER TABLE {ref} RENAME TO {self._ref(layer, dropped_name)}")

    def put_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Create or replace a view."""
        ref = self._ref(layer, name)
        before = self._read_view(ref) if self.is_view(layer, name) else ""
        self._record(_UndoNote(kind="view", layer=layer, name=name, text=before))
        self._run(f"CREATE OR REPLACE VIEW {ref} AS {select}")

    def _read_view(self, ref: str) -> str:
        """Read the SELECT of a view."""
        for row in self._run(f"DESCRIBE TABLE EXTENDED {ref}").collect():
            if row[0] == "View Text":
                return str(row[1])
        raise WarehouseError("the definition of a view cannot be read", where=ref)

    def put_as_of(self, layer: SchemaName, name: str) -> None:
        """Create the function for queries of a past instant."""
        ref = self._ref(layer, name)
        columns = ddl.parse_columns(self._schema(ref))
        self._run(ddl.as_of_function_sql(ref, self._ref(layer, f"{name}_asof"), columns))

    def record_version(self, layer: SchemaName, name: str) -> None:
        """Record the version of a table before the first change in a transaction."""
        if ("made", layer, name) not in self._notes and ("version", layer, name) not in self._notes:
            self._record(_UndoNote(kind="version", layer=layer, name=name, version=self.read_version(layer, name)))

    def set_columns(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Do nothing: the catalog stores the columns."""

    def read_version(self, layer: SchemaName, name: str) -> int:
        """Read the version of a table."""
        return int(self._run(f"DESCRIBE HISTORY {self._ref(layer, name)} LIMIT 1").collect()[0][0])

    def location_sql(self, layer: SchemaName, name: str) -> str:
        """The LOCATION clause of a table: empty, so that its location stays."""
        del layer, name
        return ""

    def erase(self) -> None:
        """Remove everything of the tenant."""
        for database in self._databases.values():
            self._run(f"DROP DATABASE IF EXISTS {quote_name(database)} CASCADE")
