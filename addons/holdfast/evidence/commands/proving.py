"""The subcommands `prove` and `diff`."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from holdfast.approval.visible import visible
from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.checking.trusting import read_trust_file
from holdfast.evidence.commands.shared import Commands, add_json, out, say
from holdfast.evidence.files.container import Package
from holdfast.evidence.proofs.differing import Difference, diff_packages
from holdfast.evidence.proofs.proving import PackageTree, prove_from_ledger, prove_from_package
from holdfast.evidence.verify import Exit, Verification, verify
from holdfast.ledger import note, tlogproof

_TYPS_SHOWN: Final = 12


def add(commands: Commands) -> None:
    """Declare the subcommands."""
    prove = commands.add_parser("prove", help="write the proof of one Record, as a C2SP tlog-proof")
    prove.add_argument("index", type=_index, metavar="N", help="index of the Record")
    source = prove.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="DIR", help="the gateway's data folder")
    source.add_argument("--package", type=Path, metavar="FILE", help="a package that holds the Record or its leaf")
    prove.add_argument("--out", type=Path, required=True, metavar="FILE.tlog-proof", help="the file to write")
    add_json(prove)
    prove.set_defaults(run=_prove)
    diff = commands.add_parser("diff", help="say whether the second continues the first, and what is new in it")
    diff.add_argument("first", type=Path, metavar="A", help="a package, or with --data a checkpoint")
    diff.add_argument("second", type=Path, metavar="B", help="the later one")
    diff.add_argument("--data", type=Path, metavar="DIR", help="A and B are checkpoints of the ledger in this folder")
    diff.add_argument(
        "--trust", type=Path, metavar="FILE", help="the ledger's public key, got from somebody other than the sender"
    )
    add_json(diff)
    diff.set_defaults(run=_diff)


def _index(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError("expected a number from 0")
    return int(text)


def _prove(options: argparse.Namespace) -> int:
    if options.package is not None:
        proof = prove_from_package(options.package, options.index)
    else:
        # Late: a ledger's folder, and what witnesses said beside it, are not there where packages are verified.
        from holdfast.evidence.making.vouching import Vouching  # noqa: PLC0415

        # Late: a verifier has no ledger to read, nor what reading one takes.
        from holdfast.ledger.reader import open_reader  # noqa: PLC0415

        with open_reader(options.data) as reader:
            proof = prove_from_ledger(reader, options.index, Vouching(options.data).cosigned)
    options.out.write_bytes(tlogproof.format(proof))
    signed = note.parse_checkpoint(note.parse_note(proof.checkpoint).text)
    if options.json:
        facts = {"proof": str(options.out), "origin": signed.origin, "index": proof.index, "size": signed.size}
        out(json.dumps(facts, sort_keys=True))
    else:
        out(f"{options.out}: Record {proof.index} is in the ledger {signed.origin} of {signed.size} Records")
    return Exit.VERIFIED


def _diff(options: argparse.Namespace) -> int:
    try:
        trusted = read_trust_file(options.trust) if options.trust else None
    except EvidenceError as error:
        say(f"evidence.py: {error}")
        return Exit.USAGE
    if options.data is not None:
        # Late: a ledger's folder is not there where packages are verified.
        from holdfast.evidence.proofs.folder import diff_checkpoints  # noqa: PLC0415

        found = diff_checkpoints(options.data, (options.first, options.second), trusted.keys if trusted else None)
        return _tell(found, is_trusted=True, as_json=options.json)
    results = [verify(path, trusted) for path in (options.first, options.second)]
    for path, result in zip((options.first, options.second), results, strict=True):
        if result.exit == Exit.TAMPERED or result.scope is None:
            return _unusable(path, result, as_json=options.json)
    with _tree(options.first) as first, _tree(options.second) as second:
        found = diff_packages(first, second)
    is_trusted = all(result.exit == Exit.VERIFIED for result in results)
    return _tell(found, is_trusted=is_trusted, as_json=options.json)


@contextmanager
def _tree(path: Path) -> Iterator[PackageTree]:
    with path.open("rb") as file:
        try:
            yield PackageTree(Package(file))
        except LedgerError as error:
            raise EvidenceError(f"{path}: {error}") from None


def _unusable(path: Path, result: Verification, *, as_json: bool) -> int:
    sentence = f"{path}: {result.headline}"
    out(json.dumps({"exit": int(result.exit), "extends": None, "sentence": sentence}) if as_json else visible(sentence))
    return result.exit


def _tell(found: Difference, *, is_trusted: bool, as_json: bool) -> int:
    code = _exit(found, is_trusted=is_trusted)
    if as_json:
        out(json.dumps({"exit": int(code), "trusted_key": is_trusted, **found.as_json()}, sort_keys=True))
    else:
        out("\n".join(visible(line) for line in _lines(found, is_trusted=is_trusted)))
    return code


def _exit(found: Difference, *, is_trusted: bool) -> Exit:
    if found.extends is False:
        return Exit.TAMPERED
    return Exit.VERIFIED if found.extends and is_trusted else Exit.UNVERIFIABLE


def _lines(found: Difference, *, is_trusted: bool) -> Iterator[str]:
    yield found.sentence
    if found.new_count:
        last = found.new_first + found.new_count - 1
        yield f"new: {found.new_count} Records, {found.new_first} to {last}"
        ordered = sorted(found.new_typs.items(), key=lambda item: (-item[1], item[0]))
        yield from (f"  {count:>7} {typ}" for typ, count in ordered[:_TYPS_SHOWN])
    for what, name, before, after in found.changes:
        verb = "changed" if before and after else "new" if after else "no longer there"
        yield f"{what} {name}: {verb}"
        yield from (f"    {word} {text}" for word, text in (("before", before), ("after ", after)) if text)
    if not found.changes:
        yield "the same rule files, tools and approvers"
    if not is_trusted:
        yield "Not verified: no key from outside the packages was given. Get one and give it with --trust FILE."
