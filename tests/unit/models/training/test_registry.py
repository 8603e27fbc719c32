"""Rules of the registry: nothing changes in it, and what is in use can be loaded."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from infra.contracts.errors import BadInput
from models.attention import checkpoint
from models.attention.model import AttentionConfig, AttentionModel
from models.registry_cli import models as commands
from models.training.registry import Entry, Registry, code_version

SMALL = AttentionConfig(d_model=8, heads=2, layers=1, window=4, hidden=8)


def trained(folder: Path, seed: int) -> str:
    """A checkpoint as a training leaves it; its version."""
    torch.manual_seed(seed)
    about = {
        "data": {"digest": "ab" * 16, "events": 12},
        "metrics": {"lapse": {"log_loss": 0.5, "auc": 0.7}},
        "parent": "0123456789ab",
    }
    return checkpoint.save(folder, AttentionModel(SMALL), about)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


def test_a_model_is_registered_with_where_it_comes_from(registry: Registry, tmp_path: Path) -> None:
    version = trained(tmp_path / "model", 1)
    entry = registry.add(tmp_path / "model")
    assert entry.version == version
    assert (entry.data_digest, entry.events, entry.parent) == ("ab" * 16, 12, "0123456789ab")
    assert entry.code == code_version()
    assert entry.metrics == {"lapse": {"log_loss": 0.5, "auc": 0.7}}
    assert checkpoint.load(registry.path(version)).version == version


def test_the_same_model_again_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    trained(tmp_path / "model", 1)
    first = registry.add(tmp_path / "model")
    assert registry.add(tmp_path / "model") == first
    assert registry.entries() == [first]


def test_models_are_listed_and_found_by_how_their_version_begins(registry: Registry, tmp_path: Path) -> None:
    versions = {trained(tmp_path / str(seed), seed) for seed in (1, 2)}
    for seed in (1, 2):
        registry.add(tmp_path / str(seed))
    assert {entry.version for entry in registry.entries()} == versions
    one = min(versions)
    assert registry.show(one[:11]).version == one
    with pytest.raises(BadInput, match="no model 'zzz'"):
        registry.show("zzz")


def test_several_models_that_begin_alike_are_named(registry: Registry, tmp_path: Path) -> None:
    for seed in range(20):  # of twenty hexadecimal versions two begin alike
        trained(tmp_path / str(seed), seed)
        registry.add(tmp_path / str(seed))
    first = [entry.version[0] for entry in registry.entries()]
    twice = next(letter for letter in first if first.count(letter) > 1)
    with pytest.raises(BadInput, match=f"several models begin with '{twice}'"):
        registry.show(twice)


def test_promoting_puts_one_model_into_use_and_another_back(registry: Registry, tmp_path: Path) -> None:
    one, two = trained(tmp_path / "1", 1), trained(tmp_path / "2", 2)
    for name in ("1", "2"):
        registry.add(tmp_path / name)
    assert registry.in_use() is None
    for version in (one, two, one):
        assert registry.promote(version).in_use
        assert registry.in_use() == version
    assert [entry.version for entry in registry.entries() if entry.in_use] == [one]


def test_a_model_that_can_no_longer_be_loaded_is_not_promoted(registry: Registry, tmp_path: Path) -> None:
    one, two = trained(tmp_path / "1", 1), trained(tmp_path / "2", 2)
    for name in ("1", "2"):
        registry.add(tmp_path / name)
    registry.promote(one)
    (registry.path(two) / "weights.npz").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="cannot be loaded"):
        registry.promote(two)
    assert registry.in_use() == one


def test_the_commands_list_show_promote_and_add(tmp_path: Path) -> None:
    version = trained(tmp_path / "model", 1)
    own = ["--registry", str(tmp_path / "registry"), "--json"]

    def call(*words: str) -> dict[str, object]:
        result = CliRunner().invoke(commands, [*words, *own], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        document: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
        return document

    assert call("list") == {"models": []}
    assert call("add", str(tmp_path / "model"))["version"] == version
    assert call("promote", version[:6])["in_use"] is True
    shown = call("show", version[:6])
    assert Entry(**shown).parent == "0123456789ab"  # type: ignore[arg-type]  # read back from JSON
    assert call("list") == {"models": [shown]}
