"""A loopback identity provider: OIDC discovery, JWKS, and real JWTs signed with keys that live as long as it does.

It serves two documents over HTTP, as any provider does, and mints tokens through :meth:`IdentityProvider.token`.
"""

import datetime as dt
import http.server
import json
import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from holdfast.clock import Clock, SystemClock

LIFETIME_S: Final = 600
RSA_BITS: Final = 2048

type Algorithm = Literal["RS256", "ES256"]


class IdentityProvider:
    """Signs tokens and publishes the public half of its keys on ``http://127.0.0.1:<port>``. A context manager."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._rsa = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        self._ec = ec.generate_private_key(ec.SECP256R1())
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="identity-provider", daemon=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.jwks_uri = f"{self.issuer}/jwks"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def token(
        self,
        subject: str,
        *,
        audience: str,
        groups: Sequence[str] = (),
        name: str | None = None,
        algorithm: Algorithm = "RS256",
        lifetime_s: int = LIFETIME_S,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A signed JWT for ``subject``; ``claims`` replaces or adds members, ``lifetime_s`` may be negative."""
        now_at = self._clock.now_at()
        body: dict[str, Any] = {
            "iss": self.issuer,
            "sub": subject,
            "aud": audience,
            "name": name or subject,
            "groups": list(groups),
            "client_id": "demo-agent",
            "jti": str(uuid.uuid4()),
            "iat": int(now_at.timestamp()),
            "exp": int((now_at + dt.timedelta(seconds=lifetime_s)).timestamp()),
        }
        body.update(claims or {})
        key = self._rsa if algorithm == "RS256" else self._ec
        return jwt.encode(body, key, algorithm=algorithm, headers={"kid": f"demo-{algorithm.lower()}"})

    def documents(self) -> dict[str, dict[str, Any]]:
        """What is served, by path."""
        discovery = {
            "issuer": self.issuer,
            "jwks_uri": self.jwks_uri,
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
        }
        return {"/.well-known/openid-configuration": discovery, "/jwks": {"keys": self._public_keys()}}

    def _public_keys(self) -> list[dict[str, Any]]:
        of_rsa = RSAAlgorithm.to_jwk(self._rsa.public_key(), as_dict=True)
        of_ec = ECAlgorithm.to_jwk(self._ec.public_key(), as_dict=True)
        return [
            {**of_rsa, "kid": "demo-rs256", "alg": "RS256", "use": "sig"},
            {**of_ec, "kid": "demo-es256", "alg": "ES256", "use": "sig"},
        ]

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                document = provider.documents().get(self.path)
                body = json.dumps(document).encode()
                self.send_response(200 if document else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name http.server gave it
                pass

        return Handler
