"""The wire is frozen: code and schemas agree, and an incompatible change is recognised."""

import json
from itertools import combinations

import pytest

from infra.contracts.errors import BadInput
from infra.contracts.events import EVENT
from infra.contracts.fields import Struct
from infra.contracts.freeze import SCHEMAS, arrow_layout, frozen_documents, incompatible_changes
from infra.contracts.kinds import EXPOSURES, KIND_BY_NAME, KINDS, RESPONSES, Role
from infra.contracts.records import RECORDS, record_of
from infra.contracts.topics import STREAMS, Topics, stream_of


@pytest.mark.parametrize("name", sorted(frozen_documents()))
def test_the_frozen_document_is_what_the_code_says(name: str) -> None:
    frozen = json.loads((SCHEMAS / name).read_text())
    assert frozen == json.loads(json.dumps(frozen_documents()[name])), (
        "the wire changed: if that is meant, run `python -m infra.contracts.freeze` and read the rule in freeze.py"
    )


def test_no_frozen_document_is_left_over() -> None:
    assert {path.name for path in SCHEMAS.glob("*.json")} == set(frozen_documents())


def test_a_changed_moved_or_missing_value_is_incompatible() -> None:
    layout = arrow_layout(EVENT)
    assert incompatible_changes(layout, layout) == []
    assert incompatible_changes(layout, layout[1:])
    assert incompatible_changes(layout, [layout[1], layout[0], *layout[2:]])
    assert incompatible_changes(layout, [{**layout[0], "type": "string"}, *layout[1:]])


def test_every_kind_has_a_payload_family_of_the_event_record_and_a_name_of_its_own() -> None:
    families = {field.name for field in EVENT.fields if isinstance(field, Struct)}
    assert {spec.family for spec in KINDS.values() if spec.family} <= families
    assert len(KIND_BY_NAME) == len(KINDS)
    assert {kind for kind, spec in KINDS.items() if spec.role is Role.EXPOSURE} == EXPOSURES
    assert not EXPOSURES & RESPONSES


def test_json_schema_and_arrow_schema_name_the_same_values() -> None:
    for record in RECORDS.values():
        assert list(record.json_schema()["properties"]) == record.arrow.names


def test_topics_of_two_namespaces_never_meet_and_lead_back_to_their_stream() -> None:
    for one, other in combinations(("a", "b", "a-b"), 2):
        assert not set(Topics(one).all()) & set(Topics(other).all())
    assert [stream_of(Topics("x").of(stream)) for stream in STREAMS] == list(STREAMS)
    assert stream_of(Topics("x").deadletter(Topics("x").events)) == "deadletter.events"


@pytest.mark.parametrize("namespace", ["", "Upper", "a.b", "-x", "x" * 81, "a b"])
def test_a_namespace_that_kafka_or_the_topic_names_cannot_carry_is_refused(namespace: str) -> None:
    with pytest.raises(BadInput, match="namespace"):
        Topics(namespace)


def test_an_unknown_stream_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match="choose one of events"):
        record_of("nothing")
