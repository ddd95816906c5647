"""The command `scripts/run.py`: the gateway before a server, in one command, whatever the server speaks."""

import argparse
import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from holdfast.bridge.commands import EXIT_FAILED, Parser, add_command
from holdfast.bridge.served import CALLER_HEADER
from holdfast.bridge.serving import served
from holdfast.errors import HoldfastError, SettingsError
from holdfast.policy.ruleset import load_servers
from holdfast.policy.servers import parse_upstream

log = logging.getLogger(__name__)

ROOT: Final = Path(__file__).resolve().parents[3]
PATH: Final = "/mcp"
_SECRET_BYTES: Final = 32


def parser() -> argparse.ArgumentParser:
    """The options."""
    top = Parser(
        prog="run.py",
        description="Start the gateway before an MCP server: one with an address, one that speaks stdio, or those of "
        "rules/servers.yaml.",
        epilog="exit codes: that of the gateway; 2 not possible, 3 wrong usage",
    )
    which = top.add_mutually_exclusive_group()
    which.add_argument("--upstream", metavar="URL", help="the server's address: scheme, host and port")
    which.add_argument("--stdio", action="store_true", help="start CMD for each session, and speak stdio with it")
    top.add_argument("--rules", type=Path, default=ROOT / "rules", metavar="DIR", help="default: rules/")
    top.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="default: data")
    top.add_argument("--host", default="127.0.0.1", help="where the gateway listens; default: 127.0.0.1")
    top.add_argument("--port", type=int, default=8080, help="default: 8080")
    top.add_argument("--web", action="store_true", help="mitmweb instead of mitmdump, its page on loopback")
    top.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an option of the gateway")
    add_command(top)
    return top


def main(argv: Sequence[str]) -> int:
    """Start the gateway and stay with it; its exit code."""
    options = parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if options.stdio:
            return asyncio.run(_before_stdio(options))
        if options.command or options.env:
            raise SettingsError("a program and its variables go with --stdio")
        gateway = command_of(options, _upstream(options), [])
        os.execv(gateway[0], gateway)  # noqa: S606 -- the program beside our own Python, no shell
    except HoldfastError as error:
        log.error("run.py: %s", error)  # noqa: TRY400 -- the text is ours, for whoever typed the command
    return EXIT_FAILED


def _upstream(options: argparse.Namespace) -> str:
    """The address for mitmproxy's reverse mode."""
    servers = load_servers(options.rules)
    if options.upstream is None:
        if not servers:
            named = options.rules / "servers.yaml"
            raise SettingsError(f"which server? --upstream URL, --stdio -- CMD, or name some in {named}")
        return str(servers[0].upstream)
    try:
        return str(parse_upstream(options.upstream))
    except ValueError as error:
        raise SettingsError(f"--upstream {error}; the path comes from the client") from None


def command_of(options: argparse.Namespace, upstream: str, more: Sequence[str]) -> list[str]:
    """The command line of the gateway."""
    tool = "mitmweb" if options.web else "mitmdump"
    settings = [
        f"confdir={options.data / 'mitmproxy'}",  # a config.yaml in the usual folder would override what is set here
        f"holdfast_rules={options.rules}",
        f"holdfast_data={options.data}",
        *more,
        *options.set,
    ]
    command = [str(Path(sys.executable).parent / tool), "--mode", f"reverse:{upstream}"]
    command += ["--listen-host", options.host, "--listen-port", str(options.port)]
    command += ["--web-host", "127.0.0.1"] if options.web else []
    command += ["-s", str(ROOT / "addons" / "gateway.py")]
    return command + [part for setting in settings for part in ("--set", setting)]


async def _before_stdio(options: argparse.Namespace) -> int:
    if not options.command:
        raise SettingsError("which program? Write it after a double dash: run.py --stdio -- CMD ARGS")
    if load_servers(options.rules):
        raise SettingsError(
            f"{options.rules}/servers.yaml names servers; add one whose upstream is `scripts/stdio.py serve`, see "
            "docs/servers.md"
        )
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder:  # 0700
        path = Path(folder) / "secret"
        path.touch(0o600)
        path.write_text(secret, "ascii")
        settings = [
            f"holdfast_paths={PATH}",
            f"holdfast_credential={path}",
            f"holdfast_caller_header={CALLER_HEADER}",
        ]
        async with served(options.command, options.env, options.cwd, secret) as port:
            return await _stay(command_of(options, f"http://127.0.0.1:{port}", settings))


async def _stay(gateway: Sequence[str]) -> int:
    """Run the gateway until it ends, and let it end in order when we are told to."""
    process = await asyncio.create_subprocess_exec(*gateway, stdin=asyncio.subprocess.DEVNULL, start_new_session=True)

    def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(
            number, end if number != signal.SIGHUP else lambda: process.send_signal(signal.SIGHUP)
        )
    return await process.wait()
