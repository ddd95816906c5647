"""Steps of the demo: the package, the stranger who verifies it, the forger, and the search for raw values."""

import shutil
import zipfile
from pathlib import Path
from typing import Final

from scripts.demo_world.people import CUSTOMERS, DOOMED, KINDS, planted_values
from scripts.demo_world.processes import run_command
from scripts.demo_world.search import Search, search
from scripts.demo_world.stage import Stage
from scripts.demo_world.tamper import find_text, flip_byte, flip_record

REPORT: Final = "README.html"  # the page of a package that people read first
MASK: Final = b"US_SSN>"  # how the shipped rules mask a social security number
VERIFIED: Final = 0
TAMPERED: Final = 1


def keep_key_elsewhere(stage: Stage) -> None:
    """Hand the ledger's public key to the auditor before anything happens."""
    stage.folders.trust.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(stage.folders.data / "keys" / "ledger.vkey", stage.folders.trust)
    stage.narrator.say(f"The auditor was given the ledger's public key at the start: {stage.folders.trust}")


def show_evidence(stage: Stage) -> None:
    """Build, verify, forge, verify again."""
    package = stage.folders.package
    stage.narrator.step("An evidence package is built from the running ledger, and a stranger verifies it")
    data = str(stage.folders.data)
    built = run_command("scripts/evidence.py", "build", "--data", data, "--out", str(package))
    stage.narrator.show(built.stdout or built.stderr)
    stage.narrator.expect("a package", f"exit {built.returncode}", holds=built.returncode == 0 and package.exists())
    if not package.exists():
        return
    _verify(stage, package, "exit 0: verified", VERIFIED)
    _unpack(stage)
    _show_flipped_byte(stage)
    _show_flipped_record(stage)


def _show_flipped_byte(stage: Stage) -> None:
    stage.narrator.step("One byte of a copy is changed, and the archive's checksum with it")
    member, offset = find_text(stage.folders.package, b"deny", ".csv")
    forged = stage.folders.out / "forged-table.zip"
    flip_byte(stage.folders.package, member, offset, forged)
    stage.narrator.say(f"Byte {offset} of {member}: the first letter of a 'deny' that somebody regrets.")
    printed = _verify(stage, forged, "exit 1: tampered", TAMPERED)
    _expect_named(stage, printed, member)


def _show_flipped_record(stage: Stage) -> None:
    stage.narrator.step("One byte of a Record is changed in another copy, and the ledger packed again around it")
    forged = stage.folders.out / "forged-record.zip"
    index = flip_record(stage.folders.package, b"dana", forged)
    stage.narrator.say(f"The first letter of the approver's name, in Record {index} itself.")
    printed = _verify(stage, forged, "exit 1: tampered", TAMPERED)
    _expect_named(stage, printed, "ledger/entries-")


def _expect_named(stage: Stage, printed: str, name: str) -> None:
    first = next((line.strip() for line in printed.splitlines() if "WRONG" in line), "nothing")
    stage.narrator.expect(f"the verifier names {name}", first, holds=name in first)


def _verify(stage: Stage, package: Path, expected: str, code: int) -> str:
    done = run_command("scripts/evidence.py", "verify", str(package), "--trust", str(stage.folders.trust))
    printed = done.stdout + done.stderr
    stage.narrator.say(f"$ scripts/evidence.py verify {package.name} --trust {stage.folders.trust.name}")
    stage.narrator.show(printed)
    stage.narrator.expect(expected, f"exit {done.returncode}", holds=done.returncode == code)
    return printed


def _unpack(stage: Stage) -> None:
    with zipfile.ZipFile(stage.folders.package) as archive:
        archive.extractall(stage.folders.unpacked)
        count = len(archive.namelist())
    page = stage.folders.unpacked / REPORT
    stage.narrator.expect(
        "a report for people among its files",
        f"{count} files; {page}",
        holds=page.is_file() and page.stat().st_size > 0,
    )


def show_search(stage: Stage, moment: str) -> None:
    """Look for every planted value in everything but the company's own server."""
    stage.narrator.step(f"Everything that was written is searched for raw values, {moment}")
    planted = planted_values()
    control = search([stage.folders.server], planted)
    known = {found.label for found in control.found}
    stored = {f"{what} of {who.customer_id}" for who in CUSTOMERS if who.customer_id != DOOMED for what in KINDS}
    stage.narrator.expect(
        "the search works: it finds what the remaining customers have in the company's own database",
        f"{len(known & stored)} of {len(stored)} found there",
        holds=known >= stored,
    )
    written = [path for path in sorted(stage.folders.out.iterdir()) if path != stage.folders.server]
    _expect_masked_copies(stage)
    result = search(written, planted)
    stage.narrator.show(_inventory(stage, written, result))
    for found in result.found:
        stage.narrator.say(f"RAW: {found.label} in {found.where}")
    stage.narrator.expect(
        f"none of the {len(planted)} planted values, in any spelling",
        f"{len(result.found)} found",
        holds=not result.found and result.file_count > 0,
    )


def _expect_masked_copies(stage: Stage) -> None:
    """Masked text must be there, or finding no raw value would only say that nothing was written."""
    for path in (stage.folders.flows, stage.folders.log):
        count = path.read_bytes().count(MASK)
        came = f"{path.stat().st_size} bytes with {count} masked SSNs"
        stage.narrator.expect(f"{path.name} was really written, and shows what is masked", came, holds=count > 0)


def _inventory(stage: Stage, written: list[Path], result: Search) -> str:
    names = ", ".join(path.name for path in written if not path.name.startswith("."))
    sizes = [f"{path.name:18} {path.stat().st_size:>9} bytes" for path in sorted(stage.folders.data.iterdir())]
    lines = [f"searched: {names}", *(line for line in sizes if ".db" in line or ".log" in line)]
    pieces = f"{result.piece_count} pieces (database cells, archive members, inflated data)"
    lines.append(f"{result.file_count} files, {pieces}, {result.byte_count / 1e6:.1f} MB")
    return "\n".join(lines)
