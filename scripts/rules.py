"""Check rule files, explain and test what they do to calls, list servers, and score masking on labelled texts.

Exit codes: 0 all is well, 1 a file, example or case is wrong, 3 the command line is.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "addons"))

from holdfast import jsontext, pinning
from holdfast.call import Direction
from holdfast.errors import HoldfastError
from holdfast.jsontext import Json, JsonObject
from holdfast.masking import holder_commands
from holdfast.policy.annotations import parse_annotations
from holdfast.policy.beside import Beside
from holdfast.policy.cases import Mask, failures_of, parse_cases
from holdfast.policy.check import check_directory
from holdfast.policy.document import parse_document, read_source
from holdfast.policy.example import EXAMPLE_ISS, EXAMPLE_SERVER, EXAMPLE_SUB, make_call, make_caller
from holdfast.policy.explain import explain
from holdfast.policy.explain_text import lines_of
from holdfast.policy.ruleset import Ruleset, load_ruleset, load_servers
from holdfast.policy.scope import Facts

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 3


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line and run the command; its exit code."""
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except HoldfastError as error:
        print(error, file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader, `head` perhaps, has seen enough
        sys.stdout = None
        return OK


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    check = commands.add_parser("check", help="parse the rule files and run the examples in them")
    check.set_defaults(run=run_check)
    explain = commands.add_parser("explain", help="what would become of one call, and why")
    explain.set_defaults(run=run_explain)
    test = commands.add_parser("test", help="run a file of calls and expected decisions")
    test.set_defaults(run=run_test)
    servers = commands.add_parser("servers", help="which path leads to which server")
    servers.set_defaults(run=run_servers)
    servers.add_argument("--first", action="store_true", help="print the first server's address alone")
    score = commands.add_parser("score", help="recall, precision and leaks of masking on labelled texts")
    score.set_defaults(run=run_score)
    for command in (check, explain, test, servers, score):
        command.add_argument("--rules", type=Path, default=ROOT / "rules", metavar="DIR", help="default: rules/")
    score.add_argument("dataset", type=Path, nargs="+", metavar="DATASET", help="a file of labelled texts, or a folder")
    score.add_argument("--json", action="store_true", help="print JSON")
    score.add_argument("--profile", metavar="NAME", help="regulate what this profile does; default: the rules' own")
    score.add_argument("--differences", type=int, default=0, metavar="N", help="show where labels and masking disagree")
    test.add_argument("file", type=Path, metavar="FILE", help="YAML; docs/rules.md shows one")
    _explain_options(explain)
    pinning.add(commands)
    holder_commands.add(commands)
    return parser


def _explain_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--method", default="tools/call", help="default: tools/call")
    add("--name", help="the tool, prompt, resource URI or task")
    add("--arguments", type=_json, metavar="JSON", help="arguments of the tool or prompt")
    add("--params", type=_json_object, default={}, metavar="JSON", help="other members of params")
    add("--groups", default="", metavar="A,B", help="groups of the Caller")
    add("--sub", default=EXAMPLE_SUB, help=f"who calls; default: {EXAMPLE_SUB}")
    add("--iss", default=EXAMPLE_ISS, help=f"who vouches for them; default: {EXAMPLE_ISS}")
    add("--client", help="the Caller's client id")
    add("--server", help="the server's id in servers.yaml, by default its first; without that file, any name")
    add("--annotations", type=_json, metavar="JSON", help="what the server says about the tool, as in tools/list")
    add("--from", dest="side", choices=("client", "server"), default="client", help="who sends it; default: client")
    add("--json", action="store_true", help="print JSON")


def _json(text: str) -> Json:
    try:
        return jsontext.parse_text(text)
    except jsontext.JsonError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _json_object(text: str) -> JsonObject:
    value = _json(text)
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return value


def run_check(options: argparse.Namespace) -> int:
    """One line per file; the errors on stderr."""
    failed = False
    for report in check_directory(options.rules):
        print(report.line())
        for failure in report.failures:
            print(f"  {failure}", file=sys.stderr)
        failed = failed or bool(report.failures)
    return FAILED if failed else OK


def run_explain(options: argparse.Namespace) -> int:
    """What access and approval rules say, which were tried, and what masking does."""
    ruleset = load_ruleset(options.rules)
    facts = _facts(options, _server_of(ruleset, options.server))
    explained = asyncio.run(explain(ruleset, facts, _masker(ruleset)))
    text = json.dumps(explained, ensure_ascii=False, indent=2) if options.json else "\n".join(lines_of(explained))
    print(text)
    return OK


def _masker(ruleset: Ruleset) -> Mask:
    from holdfast.masking.masker import Masker  # noqa: PLC0415 -- Presidio takes seconds to import; `check --help` none
    from holdfast.masking.prefilter import AT_ONCE  # noqa: PLC0415 -- beside its one use

    # Any key will do: pseudonyms shown here are not those of a gateway.
    masker = Masker(ruleset.masking, bytes(32), prefilter=AT_ONCE)
    return lambda facts: masker.mask(facts.call, server=facts.server)


def _server_of(ruleset: Ruleset, stated: str | None) -> str:
    ids = [server.id for server in ruleset.servers]
    if stated is not None and ids and stated not in ids:
        _parser().error(f"--server {stated} is none of servers.yaml: {', '.join(ids)}")
    return stated or next(iter(ids), EXAMPLE_SERVER)


def _facts(options: argparse.Namespace, server: str) -> Facts:
    direction = Direction.TO_SERVER if options.side == "client" else Direction.TO_CLIENT
    try:
        call = make_call(options.method, options.name, options.arguments, options.params, direction)
    except ValueError:
        _parser().error("--name has no place in the method given; leave it out")
    groups = tuple(filter(None, options.groups.split(",")))
    caller = make_caller(groups, options.sub, options.iss, options.client)
    return Facts(call, caller, server, (), parse_annotations(options.annotations))


def run_servers(options: argparse.Namespace) -> int:
    """A line for each path; nothing and exit code 1 where servers.yaml names no server."""
    servers = load_servers(options.rules)
    if not servers:
        print(f"{options.rules / 'servers.yaml'} names no server", file=sys.stderr)
        return FAILED
    if options.first:
        print(servers[0].upstream)
        return OK
    for server in servers:
        for path, upstream_path in server.paths.items():
            print(f"{server.id}: {path} -> {server.upstream}{upstream_path}")
    return OK


def run_test(options: argparse.Namespace) -> int:
    """The cases that fail on stderr, and a count."""
    ruleset = load_ruleset(options.rules)
    cases = parse_cases(read_source(options.file))
    failures = asyncio.run(failures_of(cases, ruleset, _masker(ruleset), options.file.name))
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{options.file.name}: {len(cases)} cases, {len(failures)} failed")
    return FAILED if failures else OK


def run_score(options: argparse.Namespace) -> int:
    """A table per data set, or one JSON object with the data sets as members."""
    from holdfast.masking.entries import MAIN_FILE  # noqa: PLC0415 -- see _masker
    from holdfast.masking.rules import parse_masking  # noqa: PLC0415
    from holdfast.masking.scoring.labelled import read_labelled  # noqa: PLC0415
    from holdfast.masking.scoring.located import Locator  # noqa: PLC0415
    from holdfast.masking.scoring.score import score  # noqa: PLC0415
    from holdfast.masking.scoring.table import lines_of as table_of  # noqa: PLC0415

    document = parse_document(read_source(options.rules / MAIN_FILE))
    locator = Locator(parse_masking(document, Beside(options.rules), options.profile))
    scores = {str(path): score(read_labelled(path), locator.locate) for path in options.dataset}
    if options.json:
        print(json.dumps({path: found.to_json() for path, found in scores.items()}, indent=2))
        return OK
    for path, found in scores.items():
        print("\n".join((*table_of(path, found), *found.differences.lines(options.differences))))
    return OK


if __name__ == "__main__":
    sys.exit(main())
