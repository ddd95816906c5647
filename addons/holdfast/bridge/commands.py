"""The command `scripts/stdio.py`: connect a stdio client to the gateway, or serve a stdio server to it."""

import argparse
import asyncio
import logging
import signal
import ssl
import sys
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from holdfast.bridge.client import ClientBridge
from holdfast.bridge.http import Http
from holdfast.bridge.pipes import lines_of_stdin, say
from holdfast.bridge.serving import served
from holdfast.errors import HoldfastError, SettingsError
from holdfast.ledger.keeping.keyfiles import read
from holdfast.policy.servers import parse_upstream

log = logging.getLogger(__name__)

EXIT_OK: Final = 0
EXIT_FAILED: Final = 2
EXIT_USAGE: Final = 3
_SECRET_BYTES_MIN: Final = 16  # whoever guesses it goes around the gateway


class Parser(argparse.ArgumentParser):
    """Wrong usage ends with the exit code that all our commands have for it."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end."""
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Both verbs and their options."""
    top = Parser(
        prog="stdio.py",
        description="Bridges between stdio and the gateway.",
        epilog="exit codes: 0 done, 2 not possible, 3 wrong usage",
    )
    verbs = top.add_subparsers(dest="verb", required=True, parser_class=Parser)
    connect = verbs.add_parser("connect", help="be a stdio server to a client, and pass everything to the gateway")
    connect.add_argument("url", metavar="URL", help="the endpoint, such as https://gateway.example/mcp")
    connect.add_argument("--token-file", type=Path, metavar="FILE", help="your access token; read before every request")
    connect.set_defaults(run=_connect)
    serve = verbs.add_parser("serve", help="put a stdio server behind an address on loopback, for the gateway alone")
    serve.add_argument("--secret-file", type=Path, required=True, metavar="FILE", help="what the gateway must show")
    serve.add_argument("--port", type=int, default=0, help="default: any that is free; stderr names it")
    add_command(serve)
    serve.set_defaults(run=_serve)
    return top


def add_command(verb: argparse.ArgumentParser) -> None:
    """The options that say which program is served, and what it sees."""
    verb.add_argument(
        "--env", action="append", default=[], metavar="NAME[=VALUE]", help="a variable that the server sees; repeatable"
    )
    verb.add_argument("--cwd", type=Path, default=Path(), metavar="DIR", help="the folder that it runs in")
    verb.add_argument("command", nargs="*", metavar="-- CMD ARGS", help="the program, after a double dash")


def main(argv: Sequence[str]) -> int:
    """Run one verb; returns the exit code."""
    options = parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return int(asyncio.run(options.run(options)))
    except HoldfastError as error:
        log.error("stdio.py: %s", error)  # noqa: TRY400 -- the text is ours, for whoever typed the command
        return EXIT_FAILED


async def _connect(options: argparse.Namespace) -> int:
    parts = urllib.parse.urlsplit(options.url)
    try:
        server = parse_upstream(f"{parts.scheme}://{parts.netloc}")
    except ValueError as error:
        raise SettingsError(f"the URL {error}") from None
    http = Http(server, ssl.create_default_context() if server.tls else None)
    bridge = ClientBridge(http, parts.path or "/", options.token_file, say)
    try:
        async for line in lines_of_stdin():
            await bridge.hear(line)
    finally:
        await bridge.leave()
    return EXIT_OK


async def _serve(options: argparse.Namespace) -> int:
    secret = read(options.secret_file).decode("ascii", "replace").strip()
    if len(secret) < _SECRET_BYTES_MIN or any(char.isspace() or not char.isascii() for char in secret):
        raise SettingsError(f"{options.secret_file} holds no word of at least {_SECRET_BYTES_MIN} characters")
    if not options.command:
        raise SettingsError("which program? Write it after a double dash: stdio.py serve ... -- CMD ARGS")
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with served(options.command, options.env, options.cwd, secret, options.port) as port:
        log.info("listening on http://127.0.0.1:%d", port)
        await stopped.wait()
    return EXIT_OK
