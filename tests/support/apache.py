"""Real Apache Kafka for tests: plain on three nodes, and one node that wants TLS, SASL/SCRAM and rights."""

import datetime as dt
import gc
import ipaddress
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.bus.admin import open_admin
from infra.bus.apache.cluster import ApacheBroker, ApacheOptions
from infra.bus.apache.fetch import DEFAULT_CACHE
from infra.bus.apache.node import ClientListener
from infra.bus.kafka_library import ScramUpsertion
from infra.bus.security import Security

ROOT = Path(__file__).parents[2]
CACHE = ROOT / DEFAULT_CACHE
LETS_GO_WITHIN_S = 20.0
KAFKA_LIBRARY = [
    pytest.mark.integration,
    pytest.mark.usefixtures("library_lets_go"),
    # The Kafka library does not close the sockets of refused and of cut connections.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""The marks of a module whose tests see brokers come and go."""
MECHANISM = "SCRAM-SHA-512"
OWNER, OWNER_PASSWORD = "owner", "all-rights-and-42"  # may do everything
GUEST, GUEST_PASSWORD = "guest", "no-rights-at-all"  # may log in, and nothing else


def has_apache() -> bool:
    """Whether it can run here; in CI it must."""
    return bool(os.environ.get("CI")) or not _missing()


def _missing() -> list[str]:
    return [program for program in ("java", "mvn") if shutil.which(program) is None]


def require_apache() -> None:
    """Skip, and say so loudly, where Java or Maven are missing; in CI, where both must be, fail."""
    missing = _missing()
    if not missing:
        return
    text = f"APACHE KAFKA IS NOT TESTED: {' AND '.join(missing)} NOT ON PATH (Debian: openjdk-17-jre-headless, maven)"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def collect_sockets(caplog: pytest.LogCaptureFixture) -> None:
    """Find what the Kafka library left open, where its warning is expected: once its threads have let go.

    What it logged holds its connections too.
    """
    for phase in ("setup", "call", "teardown"):
        caplog.get_records(phase).clear()
    for thread in threading.enumerate():
        if thread.name.endswith("network-thread"):
            thread.join(LETS_GO_WITHIN_S)
            assert not thread.is_alive(), f"{thread.name} goes on after its client was closed"
    for _ in range(5):  # what one pass finalises lets go of more
        gc.collect()


@contextmanager
def three_nodes() -> Iterator[ApacheBroker]:
    """A cluster of three nodes, in plain text."""
    require_apache()
    with ApacheBroker(ApacheOptions(nodes=3, cache=CACHE)) as broker:
        yield broker


@dataclass(frozen=True, kw_only=True)
class Secured:
    """A broker that wants TLS, SASL and rights, and how its owner gets in."""

    broker: ApacheBroker
    ca: Path

    def security(self, user: str = OWNER, password: str = OWNER_PASSWORD) -> Security:
        """What a client uses to get in as `user`."""
        return Security(tls=True, ca=self.ca, mechanism=MECHANISM, user=user, password=password)


@contextmanager
def secured_node(folder: Path) -> Iterator[Secured]:
    """One node behind SASL_SSL with certificates made in `folder`; its users are OWNER and GUEST."""
    require_apache()
    ca = make_certificates(folder)
    listener = ClientListener(
        protocol="SASL_SSL",
        settings={
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(folder / "server.pem"),
            "sasl.enabled.mechanisms": MECHANISM,
            "listener.name.client.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{OWNER}",
        },
    )
    with ApacheBroker(ApacheOptions(cache=CACHE, listener=listener)) as broker:
        with open_admin(broker.internal, "making users") as admin:
            users = ((OWNER, OWNER_PASSWORD), (GUEST, GUEST_PASSWORD))
            made = admin.alter_user_scram_credentials([ScramUpsertion(user, MECHANISM, word) for user, word in users])
        assert set(made.values()) == {None}
        yield Secured(broker=broker, ca=ca)


def make_certificates(folder: Path) -> Path:
    """An authority (`ca.pem`) and a server it vouches for (`server.pem`, key and chain); the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("calmverse test authority", authority_key, authority_key, None)
    server = _certificate("127.0.0.1", server_key, authority_key, authority)
    pem = serialization.Encoding.PEM
    private = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    (folder / "server.pem").write_bytes(private + server.public_bytes(pem) + authority.public_bytes(pem))
    return folder / "ca.pem"


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(signer, hashes.SHA256())
