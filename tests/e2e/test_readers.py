"""What others open: the file with DuckDB 1.x, published Parquet with pandas and polars, each in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing

import pytest

from tests.e2e.builders import Service, create_msp, kill
from tests.grid.engines import LONG

pytestmark = [LONG, pytest.mark.slow]


@pytest.fixture(scope="module")
def published_project(tmp_path_factory):
    """The whole blueprint after two runs, published with an open end and without."""
    with closing(Service(seed=3, companies=3, months=1)) as service:
        project = create_msp(tmp_path_factory.mktemp("readers") / "msp", service)
        places = [
            {"name": "late", "url": "late", "format": "parquet"},
            {"name": "none", "url": "none", "format": "parquet"},
        ]
        places[1]["open_end"] = None
        project.declare(publish=places)
        project.run()
        service.advance(days=15)
        project.run()
        yield project, service


@pytest.fixture(scope="module")
def python_with(tmp_path_factory):
    """Makes an environment with some packages; its Python."""

    def make(*packages):
        folder = tmp_path_factory.mktemp("environment")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = folder / "bin" / "python"
        got = subprocess.run(
            [python, "-m", "pip", "install", "-q", *packages], check=False, capture_output=True, text=True
        )
        if got.returncode:
            pytest.skip(f"pip cannot get {' '.join(packages)} here: {got.stderr.strip().splitlines()[-1]}")
        return python

    return make


def run_script(python, script, *words):
    """What a script prints, as JSON."""
    ran = subprocess.run([python, "-c", script, *map(str, words)], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


READ = """
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as db:
    tables = db.execute("SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('silver', 'gold')")
    counts = {}
    for layer, name in tables.fetchall():
        found = db.execute(f'SELECT * FROM {layer}."{name}"').fetchall()
        counts[f"{layer}.{name}"] = [len(found), str(sorted(map(repr, found)))]
    asof = db.execute("SELECT COUNT(*) FROM silver.company_asof(TIMESTAMP '2090-01-01')").fetchone()[0]
print(json.dumps([duckdb.__version__, counts, asof]))
"""


@pytest.mark.parametrize("wanted", ["duckdb<2", "duckdb>=1.2,<1.3"])
def test_duckdb_1_reads_every_table_of_silver_and_gold(published_project, python_with, wanted):
    project, _ = published_project
    python, path = python_with(wanted), project.data / "acme.duckdb"
    version, theirs, open_ones = run_script(python, READ, path)
    _, ours, _ = run_script(sys.executable, READ, path)
    assert version.startswith("1.")
    assert len(theirs) > 60
    assert theirs == ours
    assert open_ones == project.query("SELECT COUNT(*) FROM silver.company_current")[0][0]


TRY = """
import duckdb, json, sys, time
words, found = set(), 0
until = time.monotonic() + 60
while time.monotonic() < until and (not words or not found):
    try:
        with duckdb.connect(sys.argv[1], read_only=True) as db:
            found = db.execute("SELECT COUNT(*) FROM gold.dim_company").fetchone()[0]
    except duckdb.IOException as error:
        words.add(str(error).splitlines()[0][:40])
    time.sleep(0.02)
print(json.dumps([sorted(words), found]))
"""


def test_duckdb_1_is_told_of_the_lock_while_a_run_writes_and_reads_what_a_killed_one_left(
    published_project, python_with
):
    project, service = published_project
    python, path = python_with("duckdb<2"), project.data / "acme.duckdb"
    service.advance(days=15)
    writing = project.start("run", "--json")
    refusals, found = run_script(python, TRY, path)
    writing.communicate(timeout=120)
    assert writing.returncode == 0
    assert refusals
    assert all("lock" in text for text in refusals)
    assert found > 3
    service.advance(days=15)
    killed = project.start("run", "--json")
    while not path.with_name("acme.duckdb.wal").exists() and killed.poll() is None:
        pass
    kill(killed)
    killed.communicate()
    _, theirs, _ = run_script(python, READ, path)
    _, ours, _ = run_script(sys.executable, READ, path)
    assert theirs == ours
    assert project.run()["outcome"] == "succeeded"


FRAME = """
import json, sys, pandas
def look(folder):
    import glob
    try:
        frame = pandas.read_parquet(glob.glob(f"{folder}/acme/dim_company/*.parquet")[0])
    except Exception as error:
        return type(error).__name__
    ends = frame["valid_to"]
    return [str(ends.dtype), len(frame), int(ends.isna().sum()), int(frame["is_current"].sum()),
            sorted(int(key) for key in frame["company_key"]), sorted(map(str, ends.dropna().astype(str).str[:4].unique()))]
print(json.dumps([pandas.__version__, look(sys.argv[1]), look(sys.argv[2])]))
"""


@pytest.mark.parametrize(
    ("packages", "late", "kind"),
    [
        (("pandas>=1.5,<1.6", "numpy<2", "pyarrow<13"), "ArrowInvalid", "datetime64[ns]"),
        (("pandas>=2,<3", "pyarrow"), "datetime64[us]", "datetime64[us]"),
        (("pandas>=3,<4", "pyarrow"), "datetime64[us]", "datetime64[us]"),
    ],
)
def test_pandas_reads_what_is_published_or_says_that_it_cannot(published_project, python_with, packages, late, kind):
    project, _ = published_project
    version, dated, empty = run_script(python_with(*packages), FRAME, project.root / "late", project.root / "none")
    print(version, dated, empty)
    rows, current = project.query("SELECT COUNT(*), COUNT(*) FILTER (is_current) FROM gold.dim_company")[0]
    keys = [key for (key,) in project.query("SELECT company_key FROM gold.dim_company ORDER BY 1")]
    assert empty[:5] == [kind, rows, current, current, keys]
    assert "9999" not in empty[5]
    if late == "ArrowInvalid":
        assert dated == late
    else:
        assert dated[:5] == [late, rows, 0, current, keys]
        assert "9999" in dated[5]


POLARS = """
import glob, json, sys, polars
frame = polars.read_parquet(glob.glob(f"{sys.argv[1]}/acme/dim_company/*.parquet")[0])
print(json.dumps([str(frame["valid_to"].dtype), frame["valid_to"].max().year, sorted(frame["company_key"].to_list())]))
"""


def test_polars_reads_what_is_published(published_project, python_with):
    project, _ = published_project
    kind, year, keys = run_script(python_with("polars"), POLARS, project.root / "late")
    assert (kind, year) == ("Datetime(time_unit='us', time_zone=None)", 9999)
    assert keys == [key for (key,) in project.query("SELECT company_key FROM gold.dim_company ORDER BY 1")]
