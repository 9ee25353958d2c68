"""Redshift's place taken by Postgres: statements are written down as they were sent, and run there.

What only Redshift knows is exchanged for what Postgres knows, see `EXCHANGED`, `WORDS` and `answered`: that list is what
these tests take on trust. COPY reads its Parquet files from the bucket where the warehouse put them.
"""

from __future__ import annotations

import re
from contextlib import contextmanager

import obstore
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from headwater.warehouse.postgres import copy as postgres_copy
from headwater.warehouse.redshift.engine import Redshift

BUCKET, ROLE = "stage", "arn:aws:iam::123456789012:role/headwater"

EXCHANGED = (
    (
        r"\bDATEDIFF\((\w+), ",
        r"DATEDIFF('\1', ",
        "the unit is a bare word there, a text in the function that stands for it",
    ),
    (r"\bDATEADD\((\w+), ", r"DATEADD('\1', ", "as DATEDIFF"),
    (r"VARCHAR\(MAX\)", "VARCHAR(65535)", "Postgres has no MAX"),
    (r" DIST(STYLE|KEY).* COMPOUND SORTKEY \([^)]*\)$", "", "Postgres spreads no rows"),
    (r" WITH NO SCHEMA BINDING$", "", "Postgres binds views early"),
    (r"(FOREIGN KEY \([^)]*\) REFERENCES \S+ \([^)]*\))", r"\1 NOT ENFORCED", "keys are never enforced there"),
    (r"^DROP TABLE (\"\w.*)", r"DROP TABLE \1 CASCADE", "views that were bound early go with their table"),
    (r"^SET enable_case_sensitive_identifier .*", "SELECT 1", "names in quotes are folded there"),
)
"""Patterns in a statement of Redshift, what stands for them on Postgres, and why."""

WORDS = """
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS redshift_words;
SET search_path TO redshift_words, public;
"""
"""How a session on Postgres begins: a backslash in a text escapes there."""

FUNCTIONS = """
CREATE OR REPLACE FUNCTION redshift_words.strtol(text, integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT ('x' || lpad($1, 16, '0'))::bit(64)::bigint $$;
CREATE OR REPLACE FUNCTION redshift_words.fnv_hash(anyelement) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT hashtextextended(pg_typeof($1)::text || '|' || $1::text, 0) $$;
CREATE OR REPLACE FUNCTION redshift_words.micros(timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CAST(extract(epoch FROM $1) * 1000000 AS bigint) $$;
CREATE OR REPLACE FUNCTION redshift_words.dateadd(unit text, amount integer, at timestamp) RETURNS timestamp
  LANGUAGE sql IMMUTABLE AS $$ SELECT at + amount * CAST('1 ' || unit AS interval) $$;
CREATE OR REPLACE FUNCTION redshift_words.last_day(timestamp) RETURNS date LANGUAGE sql IMMUTABLE AS $$
  SELECT CAST(date_trunc('month', $1) + interval '1 month' - interval '1 day' AS date) $$;
CREATE OR REPLACE FUNCTION redshift_words.datediff(unit text, one timestamp, other timestamp) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS $$ SELECT CASE lower(unit)
    WHEN 'microsecond' THEN micros(other) - micros(one)
    WHEN 'second' THEN div(micros(date_trunc('second', other)) - micros(date_trunc('second', one)), 1000000)::bigint
    WHEN 'minute' THEN div(micros(date_trunc('minute', other)) - micros(date_trunc('minute', one)), 60000000)::bigint
    WHEN 'hour' THEN div(micros(date_trunc('hour', other)) - micros(date_trunc('hour', one)), 3600000000)::bigint
    WHEN 'day' THEN other::date - one::date
    WHEN 'month' THEN (extract(year FROM other) - extract(year FROM one)) * 12
      + extract(month FROM other) - extract(month FROM one)
    WHEN 'quarter' THEN (extract(year FROM other) - extract(year FROM one)) * 4
      + extract(quarter FROM other) - extract(quarter FROM one)
    WHEN 'year' THEN extract(year FROM other) - extract(year FROM one) END $$;
"""
"""Functions that only Redshift has. A hash depends on the type there, and on blanks at the end of a text."""

_COPY = re.compile(r"COPY (\"\w+\") FROM 's3://\w+/([^']+)' IAM_ROLE '([^']+)' FORMAT AS PARQUET")
_TRY = re.compile(r"TRY_CAST\((NULLIF\(CAST\(.*?, ''\)) AS ([A-Z][A-Z ]+(?:\([\d, ]+\))?)\)")


def on_postgres(statement):
    """A statement of Redshift as Postgres takes it."""
    for pattern, instead, _ in EXCHANGED:
        statement = re.sub(pattern, instead, statement)
    return _TRY.sub(r"CAST(CASE WHEN PG_INPUT_IS_VALID(\1, '\2') THEN \1 END AS \2)", statement)


class Recorder:
    """Redshift's connection, as far as the warehouse can tell: it writes down and passes on to Postgres."""

    def __init__(self, url, store):
        self._connection = psycopg.connect(
            url, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.RawCursor, client_encoding="utf8"
        )
        self._connection.execute(WORDS)
        self._store = store
        self.statements = []
        self.purpose = "session"

    def execute(self, statement, parameters=None):
        text = statement.decode()
        self.statements.append((self.purpose, text))
        if copy := _COPY.fullmatch(text):
            return self._copy(*copy.groups())
        return self._connection.execute(on_postgres(text).encode(), parameters)

    def _copy(self, table, prefix, role):
        assert role == ROLE
        paths = sorted(one["path"] for page in obstore.list(self._store, prefix=prefix) for one in page)
        assert paths, "COPY of a prefix below which nothing is fails"
        rows = pa.concat_tables(
            pq.read_table(pa.BufferReader(bytes(obstore.get(self._store, path).bytes()))) for path in paths
        )
        with self._connection.cursor() as cursor:
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)".encode()) as copy:
                for text in postgres_copy.write_csv(rows.to_batches()):
                    copy.write(text)
            return cursor

    def close(self):
        self._connection.close()


class Cluster:
    """A Redshift that is none: Postgres, a bucket, and all that was ever said to it."""

    def __init__(self, url, store):
        self.url, self.store = url, store
        self.connections = []

    def open(self, tenant, *, read_only=False):
        def connect(_url):
            self.connections.append(Recorder(self.url, self.store))
            return self.connections[-1]

        address = "redshift://somebody@cluster.example:5439/dev"
        return Redshift(
            tenant, address, stage=f"s3://{BUCKET}/rows", iam_role=ROLE, read_only=read_only, connect=connect
        )

    def list_files(self):
        """What is in the bucket."""
        return [one["path"] for page in obstore.list(self.store) for one in page]


@contextmanager
def serve_bucket(patch):
    """An S3 that answers on this machine, and the environment by which its clients find it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
    }.items():
        patch.setenv(name, value)
    try:
        import boto3  # noqa: PLC0415  # only here, and slow to import

        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield S3Store.from_url(f"s3://{BUCKET}")
    finally:
        server.stop()
