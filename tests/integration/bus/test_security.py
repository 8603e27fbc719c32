"""TLS, SASL/SCRAM and rights, against Apache Kafka with certificates made for the occasion."""

from pathlib import Path

import pytest

from infra.bus.admin import create_topics
from infra.bus.consumer import FrameConsumer
from infra.bus.external import ExternalBroker
from infra.bus.messages import Raw
from infra.bus.producer import FrameProducer
from infra.bus.security import NONE, Security
from infra.contracts.errors import BadInput, EnvironmentFailed
from tests.support.apache import (
    GUEST,
    GUEST_PASSWORD,
    KAFKA_LIBRARY,
    MECHANISM,
    OWNER,
    OWNER_PASSWORD,
    Secured,
    make_certificates,
)
from tests.support.buses import read_all

pytestmark = KAFKA_LIBRARY


def test_with_the_right_authority_and_password_everything_works(secured_cluster: Secured, tmp_path: Path) -> None:
    (tmp_path / "word").write_text(f"{OWNER_PASSWORD}\n")
    (tmp_path / "security.yaml").write_text(
        f"tls: true\nca: {secured_cluster.ca}\nmechanism: {MECHANISM}\nuser: {OWNER}\npassword_file: word\n"
    )
    security = Security.from_file(tmp_path / "security.yaml")
    assert OWNER_PASSWORD not in repr(security)
    with ExternalBroker(secured_cluster.broker.bootstrap, security) as broker:
        assert broker.nodes == 1
        create_topics(broker.bootstrap, ["calm.secret.events"])
        with FrameProducer(broker.bootstrap, namespace="secret", client_id="test") as producer:
            producer.send_raw("calm.secret.events", 1, Raw(b"key", b"value"))
            producer.flush()
        (record,) = read_all(broker.bootstrap, "calm.secret.events")
    assert record.raw == Raw(b"key", b"value", [])


def test_a_wrong_password_is_one_clear_error_without_the_password(secured_cluster: Secured) -> None:
    wrong = "not-the-password"
    with pytest.raises(EnvironmentFailed, match=rf"refused user {OWNER} \({MECHANISM}\): check user, password") as told:
        ExternalBroker(secured_cluster.broker.bootstrap, secured_cluster.security(password=wrong)).start()
    assert wrong not in str(told.value)


def test_a_certificate_of_another_authority_is_one_clear_error(secured_cluster: Secured, tmp_path: Path) -> None:
    stranger = make_certificates(tmp_path)
    security = Security(tls=True, ca=stranger, mechanism=MECHANISM, user=OWNER, password=OWNER_PASSWORD)
    with pytest.raises(EnvironmentFailed, match=r"certificate .* is not trusted .*: name the authority that signed it"):
        ExternalBroker(secured_cluster.broker.bootstrap, security).start()


def test_plain_text_to_a_broker_that_wants_tls_says_so(secured_cluster: Secured) -> None:
    with pytest.raises(EnvironmentFailed, match="needs a security file with tls: true"):
        ExternalBroker(secured_cluster.broker.bootstrap, NONE).start()


def test_a_missing_right_is_one_clear_error_with_topic_and_right(secured_cluster: Secured) -> None:
    address = secured_cluster.broker.bootstrap
    with ExternalBroker(address, secured_cluster.security()):
        create_topics(address, ["calm.theirs.events"])
    with ExternalBroker(address, secured_cluster.security(GUEST, GUEST_PASSWORD)):
        for topic in ("calm.mine.events", "calm.theirs.events"):
            with pytest.raises(EnvironmentFailed, match=rf"user {GUEST} may not \w+ topic {topic}.*grant the ACL \w+"):
                create_topics(address, [topic])
        with FrameConsumer(address, client_id="test") as consumer, pytest.raises(EnvironmentFailed, match="no topic"):
            consumer.assign({("calm.theirs.events", 0): 0})


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("tls: maybe", "tls is 'maybe': give true or false"),
        ("tls: true\nca: nowhere.pem", "ca names .*nowhere.pem, and there is no such file"),
        ("mechanism: SCRAM-SHA-512\nuser: me", "no password for the Kafka user me: set CALMVERSE_KAFKA_PASSWORD"),
        ("mechanism: GSSAPI\nuser: me", "SASL mechanism 'GSSAPI' is unknown"),
        ("mechanism: PLAIN", "SASL needs both mechanism and user"),
        ("password: secret", r"unknown keys password \(a password never stands in it"),
        ("- 1", "holds no keys"),
        ("{", "is not YAML"),
    ],
)
def test_a_security_file_that_cannot_be_used_is_bad_input(text: str, matches: str, tmp_path: Path) -> None:
    path = tmp_path / "security.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=matches):
        Security.from_file(path)
