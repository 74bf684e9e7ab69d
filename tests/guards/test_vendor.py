"""Vendored files are exactly the published ones, each with its licence beside it."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / "approvals/static/approvals/vendor", ROOT / "tests/browser/vendor"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_vendor_scripts_are_all_in_the_manifest(folder: Path):
    listed = set(json.loads((folder / "manifest.json").read_text()))

    present = {path.name for path in folder.glob("*.js")}

    assert present == listed


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_vendor_hashes_match_and_licences_are_there(folder: Path):
    manifest = json.loads((folder / "manifest.json").read_text())

    wrong = [
        name
        for name, facts in manifest.items()
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != facts["sha256"]
    ]

    assert wrong == []
    assert all((folder / facts["licence_file"]).stat().st_size for facts in manifest.values())
    assert all({"name", "version", "licence"} <= set(facts) for facts in manifest.values())
