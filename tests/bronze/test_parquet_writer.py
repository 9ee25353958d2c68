from __future__ import annotations

from pathlib import Path

import pytest

from headwater.bronze.parquet_writer import ParquetWriter, open_writer
from headwater.errors import LakeError

MEMORY = "256.0 MiB", "244.1 MiB"
_SPILL = (
    "CREATE TEMP TABLE filled AS SELECT hash(range) AS a, hash(range + 1) AS b FROM range(3000000); DROP TABLE filled"
)


def test_the_next_landing_uses_the_same_connection(tmp_path):
    with open_writer(str(tmp_path / "a")) as first:
        connection = first._connection
    with open_writer(str(tmp_path / "b")) as second:
        assert second._connection is connection
        assert _read_setting(second, "temp_directory") == str(tmp_path / "b.spill.tmp")


def test_two_landings_at_the_same_time_have_connections_of_their_own(tmp_path):
    with open_writer(str(tmp_path / "a")) as first, open_writer(str(tmp_path / "b")) as second:
        assert first._connection is not second._connection


def test_a_connection_with_more_memory_an_error_or_a_spill_is_not_used_again(tmp_path):
    with open_writer(str(tmp_path / "a")) as writer:
        writer.reserve_memory(300 << 20)
    _check_fresh(tmp_path, writer)
    with pytest.raises(LakeError), open_writer(str(tmp_path / "b")) as writer:
        writer.read_line_numbers("/proc/nowhere/x.parquet")
    _check_fresh(tmp_path, writer)
    with open_writer(str(tmp_path / "c")) as writer:
        writer._connection.execute(f"SET memory_limit = '24MB'; {_SPILL}")
        assert (tmp_path / "c.spill.tmp").exists()
    _check_fresh(tmp_path, writer)


def test_a_file_that_replaces_another_of_the_same_name_is_read_anew(tmp_path):
    path = tmp_path / "same.parquet"
    with open_writer(str(tmp_path / "a")) as writer:
        for line in (1, 2):
            writer._connection.execute(f"COPY (SELECT {line} AS _line) TO '{path}' (FORMAT parquet)")
            assert writer.read_line_numbers(str(path)) == {line}
        assert _read_setting(writer, "enable_external_file_cache") is False


def _check_fresh(folder: Path, used: ParquetWriter) -> None:
    assert not list(folder.glob("*.spill.tmp"))
    with open_writer(str(folder / "next")) as writer:
        assert writer._connection is not used._connection
        assert _read_setting(writer, "memory_limit") in MEMORY


def _read_setting(writer: ParquetWriter, name: str) -> object:
    return writer._connection.execute(f"SELECT current_setting('{name}')").fetchone()[0]
