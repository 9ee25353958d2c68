"""The house as it is drawn: floors, who may own which library, and which words are not names here."""

from __future__ import annotations

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "names", "dtypes", "clock", "declared", "version"),
    ("batch", "events", "windows"),
    ("wire", "temporal", "storage"),
    ("model",),
    ("warehouse", "lake", "ledger"),
    ("extract", "bronze", "silver", "gold", "plan", "publish", "connectors", "blueprints", "codegen"),
    ("testing",),
    ("run",),
    ("api", "cli", "console", "orchestrate", "sandbox"),
)
"""Rooms from the ground up. A room imports from the floors below it; siblings never import each other.

Two floors hold single files that are no rooms but stones of one: the ground (0) and the parcel with what happened to it (1).
There the law is only that no circle comes about.
"""

STONES = (0, 1)
"""Floors whose members may import each other, downwards."""

FACES = {"headwater/testing/__init__.py": "headwater.run.kit.check_connector"}
"""A module that offers, on first use, a name of a module above it. Only the type checker sees that import."""

OWNS: dict[str, tuple[str, ...]] = {
    "httpx2": ("headwater/extract/client.py", "headwater/extract/http_pool.py"),
    "pyrate_limiter": ("headwater/extract/",),
    "sqlalchemy": ("headwater/ledger/",),
    "alembic": ("headwater/ledger/",),
    "duckdb": ("headwater/warehouse/duckdb/", "headwater/warehouse/files/", "headwater/bronze/"),
    "psycopg": ("headwater/warehouse/postgres/", "headwater/warehouse/redshift/", "headwater/ledger/queue/"),
    "psycopg_pool": ("headwater/ledger/queue/",),
    "procrastinate": ("headwater/ledger/queue/",),
    "pyspark": ("headwater/warehouse/spark/",),
    "pyarrow": (
        "headwater/warehouse/",
        "headwater/storage/delta.py",
    ),
    "obstore": ("headwater/storage/object_store.py",),
    "deltalake": ("headwater/storage/delta.py",),
    "sqlglot": (
        "headwater/model/",
        "headwater/warehouse/",
        "headwater/temporal/",
        "headwater/silver/",
        "headwater/gold/",
    ),
    "starlette": ("headwater/sandbox/", "headwater/console/"),
    "hypothesis": ("headwater/testing/conformance/draw.py", "headwater/testing/conformance/sample.py"),
    "uvicorn": ("headwater/sandbox/", "headwater/console/"),
    "typer": ("headwater/cli/",),
    "click": (),
    "rich": ("headwater/cli/",),
    "zstandard": ("headwater/lake/", "headwater/extract/", "headwater/bronze/"),
    "cryptography": ("headwater/wire/oauth/json_web_token.py", "headwater/extract/token_cipher.py"),
    "yaml": ("headwater/model/yaml_document.py", "headwater/codegen/"),
    "datamodel_code_generator": ("headwater/codegen/",),
    "dagster": ("headwater/orchestrate/dagster/",),
    "airflow": ("headwater/orchestrate/airflow/",),
    "aws_cdk": ("headwater/orchestrate/aws/",),
    "pandas": (),
    "requests": (),
    "httpx": (),
}
"""Who may import a library: files, or folders with a slash at the end. Libraries that are not named are anybody's."""

FORBIDDEN_WORDS = (
    "manager", "helper", "helpers", "handler", "util", "utils", "common", "impl", "misc", "stuff", "simple", "abstract",
)  # fmt: skip
"""Words that no module, class or function is called by, whole or as a part."""

FORBIDDEN_CLASS_WORDS = ("Base", "Default", "Data", "Info", "Exception")
"""Further words that no class is called by."""

FORBIDDEN_PREFIXES = ("process_", "do_", "handle_")
"""What no function's name begins with."""

FORMER_WORDS = (
    r"\bpartly\"", r"\"died\"", r"\bFindingRow\b", r"\bSilverFinding\b", r"\bWorth a look\b", r"\bheadwater asof\b",
    r"\bsaw=", r"\.saw\b", r"\"saw\": ", r"\blife of one thing\b", r"\bmeta\.(?:tied|shape|change|progress|intake|idle)\b",
    r"\bnot your doing\b", r"\bmet something that it does not know\b", r"\bcannot be meant\b",
    r"\bwants to be left alone\b", r"\bnobody answers at\b", r"\bthe engine wavers\b", r"\bmakes them anew\b",
    r"\btold anew\b", r"\btold by numbers\b", r"\bask(?:s|ed)? for in vain\b", r"\bnobody told of\b",
    r"\bmembers that are no things\b", r"\bpast is cut into chunks\b", r"\bHold a warehouse against\b",
    r"\bchance that draws\b", r"\bit has lived already\b", r"\bnobody foresaw\b",
    r"[\"`](?:no key|no change stamp|does not fit|not swept|begins now|ends now|keys made anew|count differs|not counted)[\"`]",
)  # fmt: skip
"""What stored values, tables, commands and parts of an error were called before they got the names of the trade, and words
of messages and pages that plain ones replaced.
"""

KNOW_FORMER_WORDS = (
    "CHANGELOG.md", "docs/decisions/0027-stored-names-are-upgraded.md", "tests/house/floors.py",
    "src/headwater/ledger/sql/migrations/", "src/headwater/warehouse/meta_names.py", "tests/ledger/test_migrations.py",
)  # fmt: skip
"""Where they stand because a stored one is converted there, or because a reader has to know."""

FORBIDDEN_FOLDERS = ("utils", "util", "common", "helpers", "helper", "core", "misc", "shared", "lib")


def floor_of(room: str) -> int | None:
    """The floor of a room."""
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), None)
