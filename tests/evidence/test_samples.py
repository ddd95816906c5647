import hashlib
import subprocess
import sys
from collections import Counter

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.repo.tree import ROOT

from holdfast.errors import EvidenceError
from holdfast.evidence.proofs import samples
from holdfast.ledger import note, tree

ROOT_HASH = hashlib.sha256(b"the end of the range").digest()
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = note.VerifierKey("gw.example.com/ledger/n1", PRIVATE.public_key().public_bytes_raw())
RECORDS = [f"record {number}".encode() for number in range(1000)]
LEAVES = [tree.leaf_hash(entry) for entry in RECORDS]
END_ROOT = tree.root_of(LEAVES)
EXAMPLE = (55, 62, 24, 36, 9)
CHECKPOINT = note.sign_note(note.Checkpoint(KEY.name, 1000, END_ROOT).to_text(), KEY, PRIVATE.sign).to_text().encode()


def recipe() -> str:
    """The Python recipe in the documentation, as an auditor would paste it."""
    page = (ROOT / "docs" / "foreign.md").read_text("utf-8")
    return page.partition("```python\n")[2].partition("```")[0]


def test_the_recipe_in_the_documentation_draws_the_example_in_it_and_has_ten_lines() -> None:
    assert len([line for line in recipe().splitlines() if line]) <= 10
    done = subprocess.run([sys.executable, "-I", "-c", recipe()], capture_output=True, text=True, check=True)
    root = bytes(range(32))
    drawn = samples.select(root, "auditor 2026-11-22", range(68), 5)
    assert done.stdout.split() == [str(index) for index in drawn]
    assert f"prints `{' '.join(map(str, drawn))}`" in (ROOT / "docs" / "foreign.md").read_text("utf-8")


def test_the_draw_of_a_fixed_example_never_changes() -> None:
    # What an auditor drew last year must come out the same next year.
    assert samples.seed_of(bytes(32), "nonce").hex() == hashlib.sha256(bytes(32) + b"nonce").hexdigest()
    assert samples.select(bytes(range(32)), "auditor 2026-11-22", range(68), 5) == EXAMPLE


def test_the_seed_is_made_of_the_root_and_the_nonce() -> None:
    one = samples.select(ROOT_HASH, "a", range(1000), 25)
    assert one == samples.select(ROOT_HASH, "a", range(1000), 25)
    assert one != samples.select(ROOT_HASH, "b", range(1000), 25)
    assert one != samples.select(bytes(32), "a", range(1000), 25)


@given(st.integers(0, 60), st.integers(0, 60), st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1))
def test_a_sample_has_each_record_at_most_once_and_as_many_as_asked(size: int, count: int, nonce: str) -> None:
    population = range(500, 500 + size)
    drawn = samples.select(ROOT_HASH, nonce, population, count)
    assert len(drawn) == len(set(drawn)) == min(size, count)
    assert set(drawn) <= set(population)


@given(st.integers(1, 30))
def test_a_smaller_sample_is_the_beginning_of_a_larger_one(count: int) -> None:
    assert samples.select(ROOT_HASH, "n", range(1000), 30)[:count] == samples.select(ROOT_HASH, "n", range(1000), count)


def test_every_record_is_drawn_about_equally_often() -> None:
    drawn = Counter(samples.select(ROOT_HASH, str(number), range(7), 1)[0] for number in range(7000))
    assert all(850 < count < 1150 for count in drawn.values())  # five standard deviations around 1000


def test_a_population_need_not_be_without_gaps() -> None:
    population = [3, 8, 20, 21, 50]
    positions = samples.select(ROOT_HASH, "n", range(5), 2)
    assert samples.select(ROOT_HASH, "n", population, 2) == tuple(population[position] for position in positions)
    assert samples.select(ROOT_HASH, "n", population, 5) == tuple(population)


@pytest.mark.parametrize(("nonce", "count"), [("", 1), ("x" * 201, 1), ("a\nb", 1), ("n", -1), ("n", 10_001)])
def test_nonces_and_counts_without_bounds_are_refused(nonce: str, count: int) -> None:
    with pytest.raises(EvidenceError):
        samples.select(ROOT_HASH, nonce, range(20_000), count)


def drawn_files(count: int = 3) -> tuple[samples.Selection, dict[str, bytes]]:
    selection = samples.draw(END_ROOT, "nonce 1", range(100, 1000), "every Record of the range", count)
    nodes = tree.nodes_of(LEAVES)
    made = samples.files(
        selection, RECORDS.__getitem__, lambda index: tree.inclusion_proof(index, 1000, nodes), CHECKPOINT
    )
    return selection, dict(made)


def test_the_files_state_the_draw_and_hold_each_record_with_its_proof() -> None:
    selection, files = drawn_files()
    names = {f"samples/{index}{suffix}" for index in selection.chosen for suffix in (".json", ".tlog-proof")}
    assert files.keys() == names | {"samples/selection.json"}
    assert samples.parse_selection(files["samples/selection.json"]) == selection
    samples.check_drawn(selection, END_ROOT, range(100, 1000))
    for index in selection.chosen:
        record, proof = files[f"samples/{index}.json"], files[f"samples/{index}.tlog-proof"]
        assert record == RECORDS[index]
        samples.check_sample(index, record, proof, (CHECKPOINT, END_ROOT, 1000))


def test_a_draw_that_the_seed_does_not_give_is_found() -> None:
    selection, _ = drawn_files()
    with pytest.raises(EvidenceError, match="not made of the root"):
        samples.check_drawn(selection, ROOT_HASH, range(100, 1000))
    with pytest.raises(EvidenceError, match="the population has 899"):
        samples.check_drawn(selection, END_ROOT, range(101, 1000))
    with pytest.raises(EvidenceError, match="other samples"):
        samples.check_drawn(selection, END_ROOT, range(900))
    other = samples.Selection(END_ROOT, "nonce 1", "every Record of the range", 900, (100, 101, 102))
    with pytest.raises(EvidenceError, match="other samples"):
        samples.check_drawn(other, END_ROOT, range(100, 1000))


def test_a_sample_with_any_part_changed_is_found() -> None:
    selection, files = drawn_files(1)
    index = selection.chosen[0]
    record, proof = files[f"samples/{index}.json"], files[f"samples/{index}.tlog-proof"]
    opened = (CHECKPOINT, END_ROOT, 1000)
    wrong = [
        (index, record + b" ", proof, opened),
        (index + 1, record, proof, opened),
        (index, record, proof.replace(b"\n\n", b"\n\n\n", 1), opened),
        (index, record, proof, (CHECKPOINT + b"x", END_ROOT, 1000)),
    ]
    wrong += [
        (index, record, proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :], opened) for at in range(len(proof))
    ]
    for arguments in wrong:
        with pytest.raises(EvidenceError, match="tlog-proof"):
            samples.check_sample(*arguments)


@given(st.data())
def test_a_selection_with_any_byte_changed_is_refused_or_draws_otherwise(data: st.DataObject) -> None:
    stated = drawn_files()[1]["samples/selection.json"]
    at = data.draw(st.integers(0, len(stated) - 1))
    changed = stated[:at] + bytes([stated[at] ^ data.draw(st.integers(1, 255))]) + stated[at + 1 :]
    try:
        selection = samples.parse_selection(changed)
        samples.check_drawn(selection, END_ROOT, range(100, 1000))
    except EvidenceError:
        return
    # Only the words that say what the population is are left, which the signed manifest covers.
    assert selection.population != "every Record of the range"
