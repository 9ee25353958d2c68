from __future__ import annotations

from pathlib import Path

from headwater.warehouse.spark.connection import shorten_message
from headwater.warehouse.spark.settings import SparkWarehouse


def test_the_folder_of_local_mode_does_not_depend_on_where_spark_looks(monkeypatch, tmp_path):
    """A relative folder would be resolved by each part of Spark against a folder of its own."""
    monkeypatch.chdir(tmp_path)
    opened = []
    monkeypatch.setattr(SparkWarehouse, "import_engine", lambda self: lambda *places, **options: opened.append(places))
    for path in ("", ".headwater/spark"):
        SparkWarehouse.model_validate({"kind": "spark", "url": "local[1]", "path": path}).open(
            "acme", Path(), lambda text, name: text
        )
    assert opened == [("acme", "local[1]", str(tmp_path / ".headwater/spark"))] * 2


def test_an_error_whose_message_spark_cannot_read_keeps_its_own(monkeypatch):
    from pyspark.errors import PySparkException  # noqa: PLC0415 - only where Spark is installed

    def fail(self):
        raise RuntimeError("no error class")

    error = PySparkException(message="Delta table `acme_meta`.`owner` does not exist")
    monkeypatch.setattr(PySparkException, "getMessage", fail)
    assert "owner" in shorten_message(error)
