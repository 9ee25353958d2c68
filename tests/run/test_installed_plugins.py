"""Entry points are searched once, and again after a distribution was installed."""

from __future__ import annotations

import importlib.metadata
import os

from headwater.run import plugins


def install(folder, name):
    notes = folder / f"{name}-1.0.dist-info"
    notes.mkdir()
    (notes / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (notes / "entry_points.txt").write_text(f"[headwater.connectors]\n{name} = {name}\n")


def test_a_process_sees_what_was_installed_since_it_started(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    before = plugins.list_connector_names()
    install(tmp_path, "fresh")
    os.utime(tmp_path, ns=(1, 1))  # the clock of the disk may be too coarse to show the change
    assert set(plugins.list_connector_names()) == {*before, "fresh"}


def test_the_metadata_of_distributions_is_read_once(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    reads = []

    def count_read(**selected):
        reads.append(selected)
        return importlib.metadata.entry_points(**selected)

    monkeypatch.setattr(plugins, "entry_points", count_read)
    plugins.list_connector_names()
    plugins.list_blueprint_names()
    plugins.list_warehouse_kinds()
    assert len(reads) == 1
