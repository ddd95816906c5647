"""What witnesses and time stamps outside add to a package, and what they do not."""

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.evidence.forge import Files, pack, resigned, unpack
from tests.evidence.world import BOT, MAYA, ORIGIN, World, beat
from tests.witness.authority import OPENSSL, Authority

from holdfast.clock import utc_text
from holdfast.evidence.build import build
from holdfast.evidence.checking.trusting import Trust
from holdfast.evidence.verify import Exit, Verification, verify
from holdfast.jsontext import digest_hex
from holdfast.ledger import note
from holdfast.ledger.draft import Draft
from holdfast.ledger.reader import open_reader
from holdfast.witness import cosignature, policy, store, timestamp


def sentence(result: Verification, step_id: str) -> str:
    return next(step.sentence for step in result.steps if step.id == step_id)


def table(files: Files, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[f"reports/{name}.csv"].decode(), newline="")))


class Witness:
    """A witness that vouches for whatever it is shown, at any time that it is told."""

    def __init__(self, name: str, seed: bytes) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(seed * 32)
        self.key = cosignature.CosignerKey(name, self.private.public_key().public_bytes_raw())

    def vouch(self, world: World, size: int, at: dt.datetime) -> None:
        with open_reader(world.folder) as reader:
            texts = [note.parse_note(data).text for data in reader.checkpoints()]
        text = next(text for text in texts if note.parse_checkpoint(text).size == size)
        root_hex = note.parse_checkpoint(text).root.hex()
        line = cosignature.sign(text, self.key, at, self.private.sign).to_line().encode()
        with store.open_outside(world.folder, read_only=False) as outside:
            outside.add_cosignature(store.Cosignature(size, root_hex, self.key.name, self.key.to_text(), line, at), at)

    def policy(self, *logs: note.VerifierKey) -> policy.Policy:
        known = tuple(policy.Log(log) for log in logs)
        return policy.Policy(known, (policy.Witness("auditor", self.key),), (), "auditor")


def witnessed(world: World, tmp_path: Path, *, late_s: float = 30, is_end: bool = True) -> tuple[Witness, Path]:
    witness = Witness("witness.example", b"w")
    world.read(MAYA)
    first = world.ledger.publish_blocking().size
    witness.vouch(world, first, world.clock.now_at() + dt.timedelta(seconds=late_s))
    beat(world, 180)
    world.read(BOT)
    last = world.ledger.publish_blocking().size
    if is_end:
        witness.vouch(world, last, world.clock.now_at() + dt.timedelta(seconds=late_s))
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip")
    return witness, tmp_path / "out.zip"


def test_the_quorum_that_the_trust_file_asks_for_closes_the_tamper_window(world: World, tmp_path: Path) -> None:
    witness, package = witnessed(world, tmp_path)
    key = world.keys.verifier
    result = verify(package, Trust((key,), witness.policy(key)))
    assert result.exit == Exit.VERIFIED, result.headline
    assert "cosigned by auditor, as your trust file asks" in sentence(result, "V2")
    assert "2 cosignatures and 0 time stamps hold (auditor)" in sentence(result, "V6")
    assert "none at the end" in sentence(result, "V6")
    rows = table(unpack(package), "11-integrity")
    assert [row["kind"] for row in rows if row["kind"] != "checkpoint"] == ["cosignature", "cosignature"]
    assert [row["seconds"] for row in rows if row["kind"] == "cosignature"] == ["30.000", "149.800"]


def test_without_the_quorum_that_the_trust_file_asks_for_nothing_is_verified(world: World, tmp_path: Path) -> None:
    witness, package = witnessed(world, tmp_path, is_end=False)
    key = world.keys.verifier
    result = verify(package, Trust((key,), witness.policy(key)))
    assert result.exit == Exit.UNVERIFIABLE
    assert "not the quorum `auditor` that your trust file asks for" in result.headline
    assert "not vouched for yet" in sentence(result, "V6")


def test_a_cosignature_by_somebody_whom_the_trust_file_does_not_know_counts_for_nothing(
    world: World, tmp_path: Path
) -> None:
    _, package = witnessed(world, tmp_path)
    result = verify(package, [world.keys.verifier])
    assert result.exit == Exit.VERIFIED
    assert "2 cosignatures are in the package, but your trust file names no witness" in sentence(result, "V6")
    assert "all of it" in sentence(result, "V6")


def test_the_rules_in_force_make_the_policy_that_a_package_carries(world: World, tmp_path: Path) -> None:
    witness = Witness("witness.example", b"w")
    rules = (
        "version: 1\nwitnesses:\n  - name: auditor\n    url: https://witness.example.com/\n"
        f"    vkey: {witness.key.to_text()}\nquorum: 1\n"
    ).encode()
    files = {"witnesses.yaml": world.ledger.put_object_blocking("application/yaml", rules)}
    world.put(Draft("rules.loaded", {"rules": digest_hex(dict(files)), "files": dict(files)}))
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip")
    found = policy.parse(unpack(tmp_path / "out.zip")["trust/policy.tlog-policy"])
    assert [item.key for item in found.witnesses] == [witness.key]
    assert [item.key for item in found.logs] == [world.keys.verifier]


def test_a_record_that_says_it_is_later_than_its_vouching_is_found(world: World, tmp_path: Path) -> None:
    witness, package = witnessed(world, tmp_path, late_s=-400)
    key = world.keys.verifier
    result = verify(package, Trust((key,), witness.policy(key)))
    assert result.exit == Exit.TAMPERED
    assert "after auditor vouched for it" in result.headline


def test_a_forged_cosignature_is_found(world: World, tmp_path: Path) -> None:
    witness, package = witnessed(world, tmp_path)
    files = unpack(package)
    head, dash, line = files["ledger/checkpoint.end"].rpartition(b" ")
    forged_line = line[:60] + (b"A" if line[60:61] != b"A" else b"B") + line[61:]
    forged = resigned(files | {"ledger/checkpoint.end": head + dash + forged_line}, world.keys.ledger, ORIGIN)
    key = world.keys.verifier
    result = verify(pack(forged, tmp_path / "forged.zip"), Trust((key,), witness.policy(key)))
    assert result.headline.startswith("V2: ledger/checkpoint.end: the cosignature of witness.example does not hold")


@pytest.mark.skipif(OPENSSL is None, reason="the program openssl, which plays the authority here, is not installed")
def test_time_stamps_count_under_certificates_of_the_verifiers_own_and_under_no_others(
    world: World, tmp_path: Path
) -> None:
    authority, other = Authority(tmp_path / "tsa"), Authority(tmp_path / "other")
    world.read(MAYA)
    world.ledger.publish_blocking()
    with open_reader(world.folder) as reader:
        signed = reader.last_checkpoint()
    assert signed is not None
    checkpoint = note.parse_checkpoint(note.parse_note(signed).text)
    size, root_hex = checkpoint.size, checkpoint.root.hex()
    token = authority.reply(timestamp.request(signed)[0])
    at = timestamp.check(token, signed, authority.roots_pem)
    with store.open_outside(world.folder, read_only=False) as outside:
        outside.add_timestamp(store.Stamp(size, root_hex, "tsa", token, at), at)
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip")
    files, key = unpack(tmp_path / "out.zip"), world.keys.verifier
    assert files[f"ledger/timestamps/{size:012}-tsa.tsr"] == token
    (row,) = (row for row in table(files, "11-integrity") if row["kind"] == "time stamp")
    assert row["at"] == utc_text(at)
    trusting = verify(tmp_path / "out.zip", Trust((key,), roots_pem=authority.roots_pem))
    assert trusting.exit == Exit.VERIFIED, trusting.headline
    assert "0 cosignatures and 1 time stamps hold (tsa)" in sentence(trusting, "V6")
    assert verify(tmp_path / "out.zip", Trust((key,), roots_pem=other.roots_pem)).headline.startswith(
        "V6: ledger/timest"
    )
    assert "nobody outside vouches" in sentence(verify(tmp_path / "out.zip", [key]), "V6")
