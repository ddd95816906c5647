"""The command line of approvers: list, show, approve, deny, enroll.

Results go to stdout, views before a decision and errors to stderr. Exit codes: 0 done, 1 refused by the gateway, 2 no
gateway answers, 3 usage.
"""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast import jsontext
from holdfast.approval import cli_text
from holdfast.approval.client import DeskClient, NotAcceptedError, Sight, UnreachableError, completed
from holdfast.approval.keys import create_key, load_key, signer_of
from holdfast.approval.statement import Choice
from holdfast.approval.visible import visible
from holdfast.errors import ApprovalError, SettingsError
from holdfast.jsontext import JsonObject

DONE, REFUSED, UNREACHABLE, USAGE = 0, 1, 2, 3
KEY_VARIABLE: Final = "HOLDFAST_APPROVER_KEY"
TOKEN_VARIABLE: Final = "HOLDFAST_APPROVER_TOKEN_FILE"  # noqa: S105 -- the name of a variable that names a file
_TOKEN_BYTES_MAX: Final = 32 * 1024  # larger ones do not fit a header either


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Every command and option, for `--help` and for the test that compares it with the documentation."""
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--data", type=Path, metavar="DIR", help="the gateway's data folder (default: data)")
    common.add_argument("--json", action="store_true", help="print results as JSON")
    who = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    who.add_argument("--key", type=Path, metavar="FILE", help=f"your private key (or {KEY_VARIABLE})")
    who.add_argument("--token-file", type=Path, metavar="FILE", help=f"your access token (or {TOKEN_VARIABLE})")
    decide = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    decide.add_argument("--reason", metavar="TEXT", help="why; recorded, and told to the caller on deny")
    decide.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    top = _Parser(prog="approve.py", description="Decide about calls that wait for approval.", parents=[common, who])
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands.add_parser("list", parents=[common], help="the calls that wait")
    show = commands.add_parser("show", parents=[common], help="one call, as it would be approved")
    show.add_argument("hold", metavar="ID", help="the hold, or the beginning of its id")
    for name, text in (("approve", "let one call go out, once"), ("deny", "refuse one call")):
        command = commands.add_parser(name, parents=[common, who, decide], help=text)
        command.add_argument("hold", metavar="ID", help="the hold, or the beginning of its id")
    enroll = commands.add_parser(
        "enroll", parents=[common], help="make a key and print its entry for rules/approval.yaml"
    )
    enroll.add_argument("--name", required=True, help="your name, as Records show it")
    enroll.add_argument(
        "--key", type=Path, required=True, metavar="FILE", help="the key file; made where it is missing"
    )
    enroll.add_argument("--id", help="your id in the rules (default: made of the name)")
    enroll.add_argument(
        "--group", action="append", default=[], metavar="NAME", help="a group you approve for; repeatable"
    )
    enroll.add_argument("--iss", help="issuer of your access tokens, so that you cannot approve calls of your own")
    enroll.add_argument("--sub", help="your subject there")
    return top


def main(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; the exit code comes back."""
    options = vars(parser().parse_args(arguments))
    try:
        return _run(options, environ)
    except UnreachableError as error:
        return _fail(UNREACHABLE, f"{error}. Is it running, and is --data its data folder?")
    except NotAcceptedError as error:
        return _fail(REFUSED, f"refused: {error}")
    except ApprovalError as error:
        return _fail(REFUSED, str(error))
    except SettingsError as error:
        return _fail(USAGE, str(error))


def _run(options: Mapping[str, object], environ: Mapping[str, str]) -> int:
    client = DeskClient(Path(str(options.get("data", "data"))))
    as_json = bool(options.get("json", False))
    match options["command"]:
        case "list":
            return _list(client, as_json=as_json)
        case "show":
            return _show(client.show(str(options["hold"])), as_json=as_json)
        case "approve":
            return _decide(client, "approve", options, environ, as_json=as_json)
        case "deny":
            return _decide(client, "deny", options, environ, as_json=as_json)
        case _:
            return _enroll(options, as_json=as_json)


def _list(client: DeskClient, *, as_json: bool) -> int:
    holds = client.listing()
    if as_json:
        _print_json({"holds": [*holds]})
    else:
        _say(cli_text.table(holds))
    return DONE


def _show(sight: Sight, *, as_json: bool) -> int:
    if as_json:
        statement = None if sight.statement is None else sight.statement.to_json()
        _print_json({"hold": sight.hold, "view": sight.view, "statement": statement})
    else:
        _say(cli_text.ended(sight.hold) if sight.view is None else sight.view.removesuffix("\n"))
    return DONE


def _decide(
    client: DeskClient, choice: Choice, options: Mapping[str, object], environ: Mapping[str, str], *, as_json: bool
) -> int:
    key, token = _credential(options, environ)
    public = None if key is None else key.public_key().public_bytes_raw()
    sight = client.show(str(options["hold"]), public)
    if sight.view is None or sight.statement is None:
        raise NotAcceptedError(cli_text.ended(sight.hold))
    if key is not None and not sight.statement.approver:
        raise NotAcceptedError("this key is not enrolled; `enroll` prints the entry for rules/approval.yaml")
    _note(sight.view.removesuffix("\n"))
    if choice == "approve" and not options.get("yes", False) and not _confirmed(sight):
        return _fail(USAGE, "nothing was decided")
    reason = str(options.get("reason", "")) or _asked_reason(sight)
    # Asked again, because the statement must be fresh; what was read above must still be what is signed.
    now = client.show(sight.id, public)
    if now.statement is None or now.view != sight.view:
        raise NotAcceptedError(cli_text.ended(now.hold))
    statement = completed(now.statement, choice, reason)
    if key is not None:
        outcome = client.decide_signed(statement, signer_of(key))
    else:
        outcome = client.decide_by_token(statement, token)
    if as_json:
        _print_json({"hold": outcome})
    else:
        _say(cli_text.outcome(outcome, choice))
    return DONE


def _credential(options: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Ed25519PrivateKey | None, str]:
    key, token = options.get("key"), options.get("token_file")
    if key is not None and token is not None:
        raise SettingsError("give either --key or --token-file")
    if key is None and token is None:
        key, token = environ.get(KEY_VARIABLE), environ.get(TOKEN_VARIABLE)
    if key is not None:
        return load_key(Path(str(key))), ""
    if token is not None:
        return None, _read_token(Path(str(token)))
    raise SettingsError(f"say who you are: --key FILE or --token-file FILE (or {KEY_VARIABLE}, {TOKEN_VARIABLE})")


def _read_token(path: Path) -> str:
    try:
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"the token file {path} cannot be read as plain text") from None
    if not 0 < len(text) <= _TOKEN_BYTES_MAX:
        raise SettingsError(f"the token file {path} holds no token of at most {_TOKEN_BYTES_MAX} bytes")
    return text


def _confirmed(sight: Sight) -> bool:
    return not sys.stdin.isatty() or input(f"Approve {sight.id}? [y/N] ").strip().lower() in {"y", "yes"}


def _asked_reason(sight: Sight) -> str:
    return input("Reason: ").strip() if sight.reason_required and sys.stdin.isatty() else ""


def _enroll(options: Mapping[str, object], *, as_json: bool) -> int:
    path, name = Path(str(options["key"])), str(options["name"])
    iss, sub = options.get("iss"), options.get("sub")
    if (iss is None) != (sub is None):
        raise SettingsError("give both --iss and --sub, or neither")
    made = not path.exists()
    key = create_key(path) if made else load_key(path)
    group = options["group"]
    entry: JsonObject = {
        "id": str(options.get("id") or _id_of(name)),
        "name": name,
        "groups": [str(one) for one in group] if isinstance(group, list) else [],
        "public_key": cli_text.key_text(key),
    }
    if iss is not None:
        entry |= {"iss": str(iss), "sub": str(sub)}
    _note(f"{'made' if made else 'read'} {path}; keep it to yourself")
    if iss is None:
        _note("without --iss and --sub the gateway cannot tell your own calls from those of others")
    if as_json:
        _print_json(entry)
    else:
        _say(cli_text.yaml_entry(entry))
    return DONE


def _id_of(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "approver"


def _print_json(value: JsonObject) -> None:
    _say(jsontext.wire(value).decode("utf-8"))


def _fail(code: int, text: str) -> int:
    _note(f"approve.py: {visible(text)}")
    return code


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")
