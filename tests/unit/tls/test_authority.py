"""Certificates as strangers check them: Python's ssl, at its strictest."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from components.checker.wire import Connection, Silent, Tls
from components.tls.authority import Pair, fingerprint, is_due, issue, new_authority
from components.tls.resource import CertificateProvider

NOW = datetime(2026, 11, 27, tzinfo=UTC)
HOSTS = ["*.kafka.svc.cluster.local", "localhost", "127.0.0.1"]
NAME = "kafka-0.kafka.svc.cluster.local"


def written(folder: Path, authority: Pair, pair: Pair) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in (("tls.crt", pair.certificate), ("tls.key", pair.key), ("ca.crt", authority.certificate)):
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def authority() -> Pair:
    return new_authority("kafka/kafka CA", datetime.now(UTC))


@pytest.fixture
def folder(tmp_path: Path, authority: Pair) -> Path:
    return written(tmp_path / "good", authority, issue(authority, "kafka-node", HOSTS, 30, datetime.now(UTC)))


@pytest.fixture
def node(folder: Path) -> Iterator[int]:
    """The port of one that asks for certificates, and answers each message with its length and correlation id."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.crt"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    plain, _ = server.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(plain, server_side=True) as client:
                        header = client.recv(12)
                        client.sendall((8).to_bytes(4, "big") + header[8:12] + b"good")
                except OSError:
                    plain.close()

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]


def asked(port: int, tls: Tls | None) -> bytes:
    return Connection("127.0.0.1", port, 5, tls).ask(3, 5, b"", lambda reader: reader.take(4))


def test_a_node_is_asked_by_its_certificate(node: int, folder: Path) -> None:
    connection = Connection("127.0.0.1", node, 5, Tls(str(folder), NAME))
    assert connection.certificate_end is None
    assert connection.ask(3, 5, b"", lambda reader: reader.take(4)) == b"good"
    assert connection.certificate_end == pytest.approx(time.time() + 30 * 86400, abs=60)


def test_one_with_another_name_is_not_believed(node: int, folder: Path) -> None:
    with pytest.raises(Silent, match="Hostname mismatch"):
        asked(node, Tls(str(folder), "kafka-0.other.svc.cluster.local"))


def test_one_of_another_ca_neither_believes_nor_is_believed(node: int, tmp_path: Path) -> None:
    other = new_authority("other", datetime.now(UTC))
    pair = issue(other, "kafka-node", HOSTS, 30, datetime.now(UTC))
    with pytest.raises(Silent, match=r"self-signed certificate|unable to get local issuer"):
        asked(node, Tls(str(written(tmp_path / "other", other, pair)), NAME))


def test_one_that_has_expired_is_refused(node: int, tmp_path: Path, authority: Pair) -> None:
    old = issue(authority, "kafka-node", HOSTS, 1, datetime.now(UTC) - timedelta(days=2))
    with pytest.raises(Silent):
        asked(node, Tls(str(written(tmp_path / "old", authority, old)), NAME))


def test_a_certificate_says_what_kafka_and_strict_clients_ask_for(authority: Pair) -> None:
    pair = issue(authority, "kafka-node", HOSTS, 90, NOW)
    found = x509.load_pem_x509_certificate(pair.certificate.encode())
    assert found.subject.rfc4514_string() == "CN=kafka-node", "Kafka's principal, whole"
    assert found.not_valid_after_utc == NOW + timedelta(days=90)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == HOSTS[:2]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == HOSTS[2:]
    assert pair.key.startswith("-----BEGIN PRIVATE KEY-----"), "PKCS 8"
    assert issue(authority, "kafka-node", HOSTS, 90, NOW).key != pair.key


@pytest.mark.parametrize(("days", "due"), [(0, False), (59, False), (61, True), (100, True)])
def test_it_is_renewed_in_the_last_third_of_its_time(authority: Pair, days: int, due: bool) -> None:
    pair = issue(authority, "kafka-node", HOSTS, 90, NOW)
    assert is_due(pair.certificate, NOW + timedelta(days=days)) is due


def props(**changed: Any) -> dict[str, Any]:
    return {"cluster": "kafka/kafka", "commonName": "kafka-node", "hosts": HOSTS, "days": 90.0, **changed}


def test_a_renewal_keeps_the_ca_that_clients_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = CertificateProvider()
    first = provider.create(props()).outs
    assert first is not None
    assert not provider.diff("id", first, props()).changes
    assert provider.diff("id", first, props(days=30.0)).changes
    monkeypatch.setattr("components.tls.resource._now", lambda: datetime.now(UTC) + timedelta(days=70))
    assert provider.diff("id", first, props()).changes, "time is a change"
    second = provider.update("id", first, props()).outs
    assert second is not None
    assert (second["authority"], second["authorityKey"]) == (first["authority"], first["authorityKey"])
    assert second["fingerprint"] == fingerprint(second["certificate"]) != first["fingerprint"]
    assert not provider.diff("id", second, props()).changes
