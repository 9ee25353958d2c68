"""Delta tables in a catalog that outlives the session: what a transaction touches is written down in a table there."""

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

_UNDO = "_undo"
"""The table, in `meta`, of what a transaction has touched."""

_GONE = "_gone_"
"""What the names of tables begin with that were dropped in a transaction under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _UndoNote:
    """Something to bring back: a table's version, a table that was made or put aside, what a view showed."""

    kind: str
    layer: SchemaName
    name: str
    version: int = -1
    text: str = ""


class CatalogTables:
    """Which tables a tenant has, as the catalog says.

    No lock is held: the ledger's lease keeps runs apart, and Delta refuses the second of two changes that meet.
    """

    def __init__(self, tenant: str, *, databases: Mapping[SchemaName, str], path: str, run: Run, schema: Run) -> None:
        self._tenant = tenant
        self._databases = databases
        self._path = path.rstrip("/")
        self._run = run
        self._schema = schema
        self._noted: dict[tuple[str, str, str], _UndoNote] = {}

    def open(self) -> None:
        """Nothing: what a dead writer left half done, the next writer undoes."""

    def close(self) -> None:
        """Nothing: the catalog is everybody's."""

    @contextmanager
    def read_scope(self) -> Iterator[None]:
        """Nothing to see to: the catalog says what each table is."""
        yield

    def begin(self) -> None:
        """Undo what a dead writer left half done."""
        self._noted = {}
        if not self._exists(self._databases["meta"], _UNDO):
            return
        rows = self._run(f"SELECT * FROM {self._undo_ref} ORDER BY place DESC").collect()
        if rows:
            self._undo([_UndoNote(kind=r[1], layer=r[2], name=r[3], version=r[4], text=r[5]) for r in rows])

    def commit(self) -> None:
        """Everything since `begin` counts from here on."""
        if not self._noted:
            return
        gone = [note for note in self._noted.values() if note.kind == "gone"]
        self._run(f"DELETE FROM {self._undo_ref}")
        self._noted = {}
        for note in gone:
            self._run(f"DROP TABLE IF EXISTS {self._ref(note.layer, note.text)}")

    def roll_back(self) -> None:
        """Nothing since `begin` counts. What cannot be undone now, the next writer undoes."""
        notes, self._noted = [*reversed(self._noted.values())], {}
        if notes:
            self._undo(notes)

    def _undo(self, notes: Sequence[_UndoNote]) -> None:
        """Bring back what notes say, the newest first."""
        for note in notes:
            ref = self._ref(note.layer, note.name)
            there = self._exists(self._databases[note.layer], note.name)
            if note.kind == "made" and there:
                self._run(f"DROP TABLE {ref}")
            elif note.kind == "gone" and self._exists(self._databases[note.layer], note.text):
                self._run(f"ALTER TABLE {self._ref(note.layer, note.text)} RENAME TO {ref}")
            elif note.kind == "version" and there and self.version(note.layer, note.name) != note.version:
                self._run(f"RESTORE TABLE {ref} TO VERSION AS OF {note.version}")
            elif note.kind == "view":
                self._run(f"CREATE OR REPLACE VIEW {ref} AS {note.text}" if note.text else f"DROP VIEW IF EXISTS {ref}")
        self._run(f"DELETE FROM {self._undo_ref}")

    def _note(self, note: _UndoNote) -> None:
        """Write down, before it happens, what has to be brought back if the transaction does not end well."""
        key = (note.kind, note.layer, note.name)
        if key in self._noted:
            return
        if not self._noted and not self._exists(self._databases["meta"], _UNDO):
            self.prepare()
            columns = "place INT, kind STRING, layer STRING, name STRING, version BIGINT, text STRING"
            self._run(f"CREATE TABLE IF NOT EXISTS {self._undo_ref} ({columns}) USING delta")
        texts = ", ".join(map(quote_literal, (note.kind, note.layer, note.name)))
        # A backslash within a text would be read as the beginning of something else.
        text = quote_literal(note.text).replace("\\", "\\\\")
        self._run(f"INSERT INTO {self._undo_ref} VALUES ({len(self._noted)}, {texts}, {note.version}, {text})")
        self._noted[key] = note

    def prepare(self) -> None:
        """Make the databases where they are missing."""
        for database in self._databases.values():
            place = f" LOCATION {quote_literal(f'{self._path}/{database}')}" if self._path else ""
            whose = f"WITH DBPROPERTIES ('headwater.tenant' = {quote_literal(self._tenant)})"
            self._run(f"CREATE DATABASE IF NOT EXISTS {quote_name(database)}{place} {whose}")
            self._check_own(database)

    def _check_own(self, database: str) -> None:
        """Nothing when a database is this tenant's, or nobody's by name; WarehouseError otherwise."""
        told = " ".join(
            str(row[1]) for row in self._run(f"DESCRIBE DATABASE EXTENDED {quote_name(database)}").collect()
        )
        found = re.search(r"headwater\.tenant,\s*([a-z0-9_-]+)", told)
        if found and found[1] != self._tenant:
            raise WarehouseError(
                f"the database `{database}` belongs to another tenant",
                where="the Spark catalog",
                details=f"tenant {found[1]}, wanted {self._tenant}",
                hint="Spark names have no hyphens: tenants `a-b` and `a_b` need separate catalogs",
            )

    @property
    def _undo_ref(self) -> str:
        return self._ref("meta", _UNDO)

    def _ref(self, layer: SchemaName, name: str) -> str:
        return f"{quote_name(self._databases[layer])}.{quote_name(name)}"

    def _exists(self, database: str, name: str) -> bool:
        return name in self._list_names(database)

    def _list_names(self, database: str, what: str = "TABLES") -> list[str]:
        """Tables and views of a database, or its views alone."""
        if not self._run(f"SHOW DATABASES LIKE {quote_literal(database)}").collect():
            return []
        return [row[1] for row in self._run(f"SHOW {what} IN {quote_name(database)}").collect() if not row[2]]

    def columns(self, layer: SchemaName, name: str) -> tuple[TableColumn, ...] | None:
        """The columns of a stored table; None when there is none."""
        if not self._exists(self._databases[layer], name) or self.is_view(layer, name):
            return None
        return ddl.parse_columns(self._schema(self._ref(layer, name)))

    def is_view(self, layer: SchemaName, name: str) -> bool:
        """Whether there is a view of that name."""
        return name in self._list_names(self._databases[layer], "VIEWS")

    def names(self, layer: SchemaName) -> tuple[str, ...]:
        """Tables and views of a layer, sorted."""
        found = self._list_names(self._databases[layer])
        return tuple(sorted(name for name in found if name != _UNDO and not name.startswith(_GONE)))

    def make(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Make an empty table."""
        self._note(_UndoNote(kind="made", layer=layer, name=name))
        shown = ", ".join(map(ddl.column_sql, columns))
        self._run(f"CREATE TABLE {self._ref(layer, name)} ({shown}) USING delta")

    def drop(self, layer: SchemaName, name: str) -> None:
        """Let go of a table or view; a table is put aside until the transaction is over."""
        ref = self._ref(layer, name)
        if self.is_view(layer, name):
            self._note(_UndoNote(kind="view", layer=layer, name=name, text=self._read_view(ref)))
            self._run(f"DROP VIEW {ref}")
        elif self._exists(self._databases[layer], name):
            if ("made", layer, name) in self._noted:
                self._run(f"DROP TABLE {ref}")
                return
            aside = f"{_GONE}{name}_{uuid.uuid4().hex[:8]}"
            self._note(_UndoNote(kind="gone", layer=layer, name=name, text=aside))
            self._run(f"DROP FUNCTION IF EXISTS {self._ref(layer, f'{name}_asof')}")
            self._run(f"ALTER TABLE {ref} RENAME TO {self._ref(layer, aside)}")

    def put_view(self, layer: SchemaName, name: str, select: str) -> None:
        """Make or replace a view."""
        ref = self._ref(layer, name)
        before = self._read_view(ref) if self.is_view(layer, name) else ""
        self._note(_UndoNote(kind="view", layer=layer, name=name, text=before))
        self._run(f"CREATE OR REPLACE VIEW {ref} AS {select}")

    def _read_view(self, ref: str) -> str:
        """What a view selects."""
        for row in self._run(f"DESCRIBE TABLE EXTENDED {ref}").collect():
            if row[0] == "View Text":
                return str(row[1])
        raise WarehouseError("the definition of a view cannot be read", where=ref)

    def put_as_of(self, layer: SchemaName, name: str) -> None:
        """Make the function by which SQL asks a table for a past day."""
        ref = self._ref(layer, name)
        columns = ddl.parse_columns(self._schema(ref))
        self._run(ddl.as_of_function_sql(ref, self._ref(layer, f"{name}_asof"), columns))

    def touch(self, layer: SchemaName, name: str) -> None:
        """Write down which version a table has, before a transaction first changes it."""
        if ("made", layer, name) not in self._noted and ("version", layer, name) not in self._noted:
            self._note(_UndoNote(kind="version", layer=layer, name=name, version=self.version(layer, name)))

    def reshape(self, layer: SchemaName, name: str, columns: Sequence[TableColumn]) -> None:
        """Nothing: the catalog knows."""

    def version(self, layer: SchemaName, name: str) -> int:
        """The version of a table."""
        return int(self._run(f"DESCRIBE HISTORY {self._ref(layer, name)} LIMIT 1").collect()[0][0])

    def place(self, layer: SchemaName, name: str) -> str:
        """The clause that says where a table is: it stays where it was."""
        del layer, name
        return ""

    def erase(self) -> None:
        """Remove everything of the tenant."""
        for database in self._databases.values():
            self._run(f"DROP DATABASE IF EXISTS {quote_name(database)} CASCADE")
