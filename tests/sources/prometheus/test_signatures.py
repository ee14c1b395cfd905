"""Signatures of AWS, worked out here a second time; certificates that are checked."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from capacity.errors import SourceDenied
from capacity.sources.prometheus import Signed, Tls
from tests.sources.prometheus.asking import HOUR, asking, values
from tests.sources.prometheus.fake import Asked, Reply, matrix, series, serving

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # of AWS's documentation: opens nothing


def healthy(asked: Asked) -> Reply:
    return matrix(series(asked, service="web"))


def signature(asked: Asked, path: str) -> str:
    """Signature Version 4, from its documentation (AWS General Reference, "Create a signed request")."""
    headers = {name.lower(): value for name, value in asked.headers.items()}
    credential, names = (
        headers["authorization"].partition(key)[2].partition(",")[0] for key in ("Credential=", "SignedHeaders=")
    )
    _, day, region, service, ending = credential.split("/")
    canonical = "\n".join(
        [
            "POST",
            path,
            "",
            *(f"{name}:{headers[name]}" for name in names.split(";")),
            "",
            names,
            hashlib.sha256(asked.body).hexdigest(),
        ]
    )
    scope = "/".join((day, region, service, ending))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", headers["x-amz-date"], scope, digest))
    key = f"AWS4{SECRET}".encode()
    for part in (day, region, service, ending):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_calls_to_amazon_managed_prometheus_are_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    with serving(healthy) as fake:
        fake.url += "/workspaces/ws-1234/api/v1/"
        source = asking(fake, access=Signed("eu-west-1"))
        found = source.read(HOUR)
    assert [finding.check for finding in found.findings] == ["billing"]
    (asked,) = fake.asked
    assert asked.path == "/workspaces/ws-1234/api/v1/query_range"
    said = asked.headers["Authorization"]
    assert "/eu-west-1/aps/aws4_request" in said
    assert "host;x-amz-date;x-amz-security-token" in said
    assert said.rpartition("Signature=")[2] == signature(asked, asked.path)
    assert SECRET not in repr(source)


def test_without_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with serving(healthy) as fake:
        with pytest.raises(SourceDenied, match="no AWS credentials here"):
            asking(fake, access=Signed("eu-west-1")).read(HOUR)
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        with pytest.raises(SourceDenied, match="nobody"):
            asking(fake, access=Signed("eu-west-1")).read(HOUR)
    assert fake.asked == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, and its key (PEM, both in one file)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "prometheus")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*plain))
    return path


def guarded(certificate: Path, ask_back: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if ask_back:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    return context


def test_a_certificate_nobody_vouches_for_is_refused_until_it_is_named(certificate: Path) -> None:
    with serving(healthy, guarded(certificate)) as fake:
        with pytest.raises(SourceDenied, match="no secure connection") as caught:
            asking(fake).read(HOUR)
        assert "`ca_file` of [prometheus]" in str(caught.value)
        assert fake.asked == []
        assert values(asking(fake, tls=Tls(ca_file=certificate)).read(HOUR)) == {"web": 60}
        assert values(asking(fake, tls=Tls(insecure=True)).read(HOUR)) == {"web": 60}


def test_a_server_that_asks_back_is_shown_ours(certificate: Path) -> None:
    with serving(healthy, guarded(certificate, ask_back=True)) as fake:
        ours = Tls(ca_file=certificate, cert_file=certificate, key_file=certificate)
        assert values(asking(fake, tls=ours).read(HOUR)) == {"web": 60}


def test_a_file_that_is_no_certificate_is_told_by_its_setting(certificate: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    with serving(healthy, guarded(certificate)) as fake:
        for tls, message in (
            (Tls(ca_file=tmp_path / "none.pem"), "there is no file .*none.pem .ca_file"),
            (Tls(ca_file=tmp_path / "empty.pem"), "have to be PEM files"),
            (Tls(ca_file=certificate, cert_file=tmp_path / "empty.pem"), "have to be PEM files"),
        ):
            with pytest.raises(SourceDenied, match=message):
                asking(fake, tls=tls).read(HOUR)
