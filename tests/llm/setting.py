"""A real gateway before a provider of models, for tests that need a process."""

import shutil
from pathlib import Path

from tests.live.harness.gateway import Gateway
from tests.live.harness.world import World
from tests.llm.bodies import APPROVAL
from tests.llm.provider import Provider

OWN_KEY = "sk-the-gateways-own-key-0123456789"
SERVERS = """\
version: 1
servers:
  - id: openai
    kind: llm
    upstream: http://127.0.0.1:{port}
    paths: [/v1/chat/completions, /v1/responses]
    credential_file: openai.secret
  - id: anthropic
    kind: llm
    upstream: http://127.0.0.1:{port}
    paths: [{{path: /anthropic/v1/messages, upstream_path: /v1/messages}}]
    credential_file: anthropic.secret
    credential_header: x-api-key
"""


def llm_gateway(world: World, provider: Provider, folder: Path) -> Gateway:
    """A gateway with the shipped access and masking rules, that holds prompts about a project for a few seconds."""
    shutil.copytree(world.rules, folder / "rules")
    (folder / "rules" / "servers.yaml").write_text(SERVERS.format(port=provider.port))
    (folder / "rules" / "approval.yaml").write_text(APPROVAL)
    for name in ("openai.secret", "anthropic.secret"):
        secret = folder / "rules" / name
        secret.write_text(f"{OWN_KEY}\n")
        secret.chmod(0o600)
    options = ["-w", str(folder / "flows.mitm"), "--set", "holdfast_keep_alive=1"]
    return Gateway(World(folder, world.key), provider.port, folder, options=options)


def everything_kept(folder: Path) -> bytes:
    """All that the gateway has written below ``folder``: ledger, payloads, flows, log."""
    kept = [path for path in sorted(folder.rglob("*")) if path.is_file() and "rules" not in path.parts]
    return b"".join(path.read_bytes() for path in kept)
