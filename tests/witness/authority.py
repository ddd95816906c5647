"""A time-stamping authority of RFC 3161 on loopback: `openssl ts` behind HTTP, with certificates made for the test."""

import contextlib
import datetime as dt
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tornado.httpserver
import tornado.web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.witness.worlds import on_a_loop

from holdfast.clock import SystemClock

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="the program openssl is not installed")
# No `certs`: a set of certificates that is not in DER order is refused, rightly, and openssl would write one.
_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def now() -> dt.datetime:
    return SystemClock().now_at()


class Authority:
    """A root, and a signer under it that may stamp until ``until``."""

    def __init__(self, folder: Path, until: dt.datetime | None = None) -> None:
        folder.mkdir()
        self.folder = folder
        root_key, signer_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        began = now() - dt.timedelta(days=30)
        root_name = _name(f"root of {folder.name}")
        self.root = (
            _builder(root_name, root_name, root_key, began, now() + dt.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        signer = (
            _builder(_name("signer"), root_name, signer_key, began, until or now() + dt.timedelta(days=20))
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        (folder / "signer.pem").write_bytes(signer.public_bytes(Encoding.PEM))
        secret = signer_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "signer.key").write_bytes(secret)
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder), "utf-8")
        (folder / "serial").write_text("01\n", "ascii")

    @property
    def roots_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def reply(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        signer = ["-signer", "signer.pem", "-inkey", "signer.key"]
        command = [
            str(OPENSSL),
            "ts",
            "-reply",
            "-queryfile",
            "query",
            *signer,
            "-config",
            "tsa.cnf",
            "-section",
            "here",
        ]
        subprocess.run([*command, "-out", "reply"], cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "reply").read_bytes()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    began: dt.datetime,
    until: dt.datetime,
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    return builder.serial_number(x509.random_serial_number()).not_valid_before(began).not_valid_after(until)


@contextlib.contextmanager
def stamping(reply: Callable[[bytes], bytes]) -> Iterator[str]:
    """``reply`` behind HTTP, at the URL that is given."""

    class Stamp(tornado.web.RequestHandler):
        def post(self) -> None:
            assert self.request.headers["Content-Type"] == "application/timestamp-query"
            self.set_header("Content-Type", "application/timestamp-reply")
            self.finish(reply(self.request.body))

    app = tornado.web.Application([(r"/tsr", Stamp)])
    with on_a_loop(lambda: tornado.httpserver.HTTPServer(app)) as url:
        yield f"{url}/tsr"
