#!/usr/bin/env python3
"""Feed the parsers bytes that a coverage-guided fuzzer makes up, and say what came of it.

`make fuzz` runs it. The first time it sets up `.fuzz`: atheris, pinned by hash, apart from `.venv`. Each target of
tests/fuzz/checks.py is run in turn, from the seeds of tests/fuzz/seeds.py and what earlier runs found worth keeping. An
input that breaks a promise is written to `.fuzz/findings` and ends the run with exit code 1.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "addons")]

from tests.fuzz.checks import CHECKS
from tests.fuzz.seeds import dictionary, seeds

FOLDER: Final = ROOT / ".fuzz"
REQUIREMENTS: Final = ROOT / "tests" / "fuzz" / "requirements.txt"
STAMP: Final = FOLDER / "ready"
INPUT_BYTES_MAX: Final = 2048  # deeper and longer inputs are among the seeds; small ones are tried faster
INPUT_S_MAX: Final = 10  # an input that takes longer is a finding
MEMORY_MIB_MAX: Final = 1024


class SetupError(Exception):
    """`.fuzz` could not be built; the message says which part."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to: inputs tried, code and features that the corpus reaches, files of inputs that broke it."""

    target: str
    executions: int
    coverage: int
    features: int
    corpus_count: int
    findings: tuple[str, ...]
    exit_code: int


def main(argv: Sequence[str] | None = None) -> int:
    """Set up, run every target, print. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="time for each target (default 60)")
    parser.add_argument("--target", choices=sorted(CHECKS), action="append", help="only this one; may be given again")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    options = parser.parse_args(argv)
    try:
        _set_up()
    except SetupError as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 2
    outcomes = [_run(target, options.seconds) for target in options.target or CHECKS]
    if options.json:
        print(json.dumps([dataclasses.asdict(outcome) for outcome in outcomes], indent=2))
    else:
        print(table(outcomes))
    return 1 if any(outcome.exit_code or outcome.findings for outcome in outcomes) else 0


def _set_up() -> None:
    python = f"{platform.python_version()} {sys.base_prefix} {ROOT}"
    wanted = f"{python}\n{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()}\n"
    if STAMP.is_file() and STAMP.read_text("utf-8") == wanted:
        return
    print("Setting up .fuzz (a few seconds) ...", file=sys.stderr)
    environment = FOLDER / "env"
    shutil.rmtree(environment, ignore_errors=True)
    _must([sys.executable, "-I", "-m", "venv", str(environment)], "no virtual environment could be made")
    pip = [str(_python()), "-I", "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary=:all:"]
    pip += ["--no-input", "--disable-pip-version-check", "-qq", "-r", str(REQUIREMENTS)]
    _must(pip, "atheris could not be installed (no network, or no wheel for this system and Python)")
    STAMP.write_text(wanted, "utf-8")


def _python() -> Path:
    return FOLDER / "env" / "bin" / "python"


def _must(command: list[str], problem: str) -> None:
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    if done.returncode:
        raise SetupError(f"{problem}. The next make fuzz starts it again.")


def _run(target: str, seconds: int) -> Outcome:
    corpus, findings, log = FOLDER / "corpus" / target, FOLDER / "findings" / target, FOLDER / f"{target}.log"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for data in seeds(target):
        (corpus / hashlib.sha256(data).hexdigest()[:40]).write_bytes(data)
    words = FOLDER / "dictionary"
    words.write_text(dictionary(), "ascii")
    print(f"{target}: {seconds} s ...", file=sys.stderr, flush=True)
    limits = (f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", f"-timeout={INPUT_S_MAX}")
    more = (
        f"-rss_limit_mb={MEMORY_MIB_MAX}",
        f"-dict={words}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    )
    command = [str(_python()), str(ROOT / "tests" / "fuzz" / "drive.py"), target, str(corpus), *limits, *more]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'addons'}{os.pathsep}{ROOT}"}
    with log.open("wb") as out:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
    names = tuple(sorted(str(path.relative_to(ROOT)) for path in findings.iterdir()))
    return read_log(target, log.read_text("utf-8", "replace"), len(list(corpus.iterdir())), names, done.returncode)


def read_log(target: str, text: str, corpus_count: int, findings: tuple[str, ...], exit_code: int) -> Outcome:
    """What libFuzzer said in ``text``: the last line with coverage, and the final statistics."""
    reached = re.findall(r"cov: (\d+) ft: (\d+)", text)
    executed = re.findall(r"number_of_executed_units: (\d+)", text)
    coverage, features = map(int, reached[-1]) if reached else (0, 0)
    executions = int(executed[-1]) if executed else 0
    return Outcome(target, executions, coverage, features, corpus_count, findings, exit_code)


def table(outcomes: Sequence[Outcome]) -> str:
    """What a person reads."""
    lines = [f"{'target':10}{'executions':>14}{'coverage':>10}{'features':>10}{'corpus':>8}{'findings':>10}"]
    for one in outcomes:
        row = f"{one.target:10}{one.executions:>14,}{one.coverage:>10}{one.features:>10}{one.corpus_count:>8}"
        lines.append(row + f"{len(one.findings):>10}")
        lines += [f"  {name}" for name in one.findings]
        if one.exit_code and not one.findings:
            lines.append(f"  ended with code {one.exit_code}; see .fuzz/{one.target}.log")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
