"""A real issuer for the tests: real keys, real signatures, a real HTTP server on loopback."""

import asyncio
import base64
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any, ClassVar, override

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import get_algorithm_by_name
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from holdfast.clock import SetClock
from holdfast.errors import Cause, Refused
from holdfast.exchange import Headers, Peer, Request
from holdfast.identity.identifier import Identifier
from holdfast.identity.rules import IdentityRules, parse_identity
from holdfast.policy.document import Source, parse_document

type Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
type Claims = dict[str, Any]

AUD = "https://mcp.example.com/mcp"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC_OTHER = ec.generate_private_key(ec.SECP256R1())
P384_KEY = ec.generate_private_key(ec.SECP384R1())
P521_KEY = ec.generate_private_key(ec.SECP521R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(key: Private, kid: str | None, **more: Any) -> dict[str, Any]:
    public: Any = key.public_key()
    make: Any = {
        rsa.RSAPrivateKey: RSAAlgorithm,
        ec.EllipticCurvePrivateKey: ECAlgorithm,
        ed25519.Ed25519PrivateKey: OKPAlgorithm,
    }
    algorithm = next(value for kind, value in make.items() if isinstance(key, kind))
    members: dict[str, Any] = algorithm.to_jwk(public, as_dict=True)
    members.pop("key_ops", None)
    return {**members, **({} if kid is None else {"kid": kid}), **more}


def pem(key: Private) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign(key: Private | bytes, alg: str, claims: Claims, header: Claims | None = None, *, padded: bool = False) -> str:
    encode = (lambda data: base64.urlsafe_b64encode(data).decode()) if padded else b64
    head = {"alg": alg, "typ": "JWT", **(header or {})}
    parts = [encode(json.dumps({k: v for k, v in part.items() if v is not ...}).encode()) for part in (head, claims)]
    signed = ".".join(parts).encode()
    name = "EdDSA" if alg == "Ed25519" else alg
    algorithm: Any = get_algorithm_by_name(name)
    return f"{signed.decode()}.{encode(algorithm.sign(signed, key))}"


class _Handler(http.server.BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, tuple[int, Headers, bytes]]]
    asked: ClassVar[list[str]]
    gate: ClassVar[threading.Event]
    seen: ClassVar[threading.Condition]

    def do_GET(self) -> None:
        with self.seen:
            self.asked.append(self.path)
            self.seen.notify_all()
        self.gate.wait(60)
        status, headers, body = self.pages.get(self.path, (404, (), b""))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        pass


class KeyServer:
    """An issuer's web server. ``asked`` are the paths that were requested; close ``gate`` to make it slow."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, Headers, bytes]] = {}
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.seen = threading.Condition()
        shared = {"pages": self.pages, "asked": self.asked, "gate": self.gate, "seen": self.seen}
        handler = type("Handler", (_Handler,), shared)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def show(self, path: str, document: object, *, status: int = 200, headers: Headers = ()) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.pages[path] = (status, headers, body)

    def show_keys(self, *keys: dict[str, Any]) -> None:
        self.show("/jwks", {"keys": list(keys)})

    async def until_asked(self, count: int) -> None:
        """Wait for ``count`` requests to have come in."""

        def wait() -> bool:
            with self.seen:
                return self.seen.wait_for(lambda: len(self.asked) >= count, timeout=60)

        assert await asyncio.to_thread(wait)

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@contextlib.contextmanager
def key_server() -> Iterator[KeyServer]:
    server = KeyServer()
    try:
        yield server
    finally:
        server.gate.set()
        server.close()


def rules_of(text: str) -> IdentityRules:
    return parse_identity(parse_document(Source("identity.yaml", text.encode())))


class Desk:
    """An issuer that signs, a gateway that identifies, and a clock for both."""

    def __init__(self, server: KeyServer, issuer_lines: str = "", more: str = "", iss: str | None = None) -> None:
        self.server = server
        self.clock = SetClock()
        self.iss = iss or server.url
        has_source = any(name in issuer_lines for name in ("discovery", "jwks_file", "pem_url"))
        source = "" if has_source else f"jwks_uri: {server.url}/jwks"
        lines = "\n".join(f"    {line}" for line in f"{source}\n{issuer_lines}".strip().splitlines())
        audiences = "" if "audiences" in issuer_lines else f"    audiences: [{AUD}]\n"
        self.rules = rules_of(
            f"version: 1\nissuers:\n  - id: corp\n    issuer: {self.iss}\n{audiences}{lines}\n{more}\n"
        )
        self.identifier = Identifier(self.rules, self.clock)

    def claims(self, **more: Any) -> Claims:
        now_s = int(self.clock.now_at().timestamp())
        usual = {"iss": self.iss, "sub": "u-1", "aud": AUD, "iat": now_s, "exp": now_s + 600}
        return {name: value for name, value in {**usual, **more}.items() if value is not ...}

    def token(self, header: Claims | None = None, key: Private = RSA_KEY, alg: str = "RS256", **claims: Any) -> str:
        return sign(key, alg, self.claims(**claims), {"kid": "k1", **(header or {})})


def ask(*headers: tuple[str, str], ip: str = "127.0.0.1", path: str = "/mcp") -> Request:
    return Request("POST", path, tuple(headers), b"{}", Peer(ip, 40000))


def bearer(token: str, **more: str) -> Request:
    return ask(("authorization", f"Bearer {token}"), **more)


async def refusal(desk: Desk, token: str) -> Refused:
    with pytest.raises(Refused) as caught:
        await desk.identifier.identify(bearer(token))
    assert not any(len(part) > 8 and part in caught.value.reason for part in token.split("."))
    return caught.value


async def is_refused(desk: Desk, token: str) -> bool:
    return (await refusal(desk, token)).cause is Cause.UNAUTHENTICATED
