"""One fuzzing run, under the fuzzer's own Python: ``drive.py TARGET CORPUS... [libFuzzer options]``."""

import sys

import atheris

with atheris.instrument_imports(include=["holdfast"]):
    from tests.fuzz.checks import CHECKS


def main() -> None:
    """Feed inputs to the check named first until time is up; libFuzzer ends the process."""
    check = CHECKS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
