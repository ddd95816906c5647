"""The folder of a live gateway: rules as shipped, an issuer whose keys are a file, and values that must not leak."""

import dataclasses
import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

ROOT: Final = Path(__file__).resolve().parents[3]
GATEWAY_SCRIPT: Final = ROOT / "addons" / "gateway.py"
ISSUER: Final = "https://idp.test"
AUDIENCE: Final = "https://mcp.test/mcp"
# What a caller says and what a server says; neither may be seen on the other side, or kept.
SAID_BY_CALLER: Final = "321-45-6780"
SAID_BY_SERVER: Final = "4012 8888 8888 1881"
PATIENCE_S: Final = 120  # what hangs does so for ever, and a machine may be busy with other things for a while
# Bytes that only a server which breaks the protocol sends.
LOOSE: Final = b"loose-bytes-of-the-server"

_IDENTITY: Final = """\
version: 1
issuers:
  - id: corp
    issuer: {issuer}
    jwks_file: {keys}
    audiences: [{audience}]
    algorithms: [EdDSA]
trusted_proxies: []
scopes_supported: []
strip_headers: []
"""


@dataclasses.dataclass(frozen=True)
class World:
    """One folder with rules, and the key of the issuer that these rules trust."""

    folder: Path
    key: Ed25519PrivateKey

    @property
    def rules(self) -> Path:
        return self.folder / "rules"

    def token(self, *groups: str, sub: str = "u-1", lives_s: int = 3600) -> str:
        now_s = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": sub, "iat": now_s, "exp": now_s + lives_s}
        return jwt.encode(claims | {"groups": [*groups]}, self.key, algorithm="EdDSA", headers={"kid": "k1"})


def make_world(folder: Path, masking: str | None = None) -> World:
    """Copy the shipped rules into ``folder`` and let them trust a new issuer; ``masking`` replaces one of the files."""
    key = Ed25519PrivateKey.generate()
    shutil.copytree(ROOT / "rules", folder / "rules")
    keys = folder / "keys.json"
    public = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "k1", "use": "sig", "alg": "EdDSA"}
    keys.write_text(json.dumps({"keys": [public]}), "utf-8")
    text = _IDENTITY.format(issuer=ISSUER, keys=keys, audience=AUDIENCE)
    (folder / "rules" / "identity.yaml").write_text(text, "utf-8")
    if masking is not None:
        (folder / "rules" / "masking.yaml").write_text(masking, "utf-8")
    return World(folder, key)


def call(name: str = "get_customer", arguments: dict[str, Any] | None = None, call_id: int | str = 1) -> dict[str, Any]:
    """A `tools/call`; by default it says what no server may hear."""
    arguments = {"note": f"the SSN is {SAID_BY_CALLER}"} if arguments is None else arguments
    return {"jsonrpc": "2.0", "id": call_id, "method": "tools/call", "params": {"name": name, "arguments": arguments}}


def result(call_id: int | str | None, text: str = f"the card is {SAID_BY_SERVER}") -> dict[str, Any]:
    """A Reply; by default it says what no client may hear."""
    return {"jsonrpc": "2.0", "id": call_id, "result": {"content": [{"type": "text", "text": text}]}}


def until[T](look: Callable[[], T], what: str, *, within_s: float = PATIENCE_S) -> T:
    """Ask ``look`` again and again until it says something true."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {within_s} s: {what}")


def in_parallel[A, B](work: Callable[[A], B], items: Sequence[A], workers: int = 3) -> list[B]:
    """``work`` for each item, a few at a time: starting a process keeps a core busy for two seconds."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 -- only the slow tests need it

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, items))
