"""What the guide's commands do not ask of foreign programs: tiles, every Record, a fork, a token by another library."""

import base64
import hashlib
import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from scripts import foreign
from tests.evidence.world import World
from tests.foreign.conftest import Packed, Witness, need

from holdfast.evidence.commands.main import main
from holdfast.ledger import note, tlogproof, tree
from holdfast.ledger.reader import open_reader


def aics(programs: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(foreign.FOLDER / "bin" / "aics-tlog"), *map(str, arguments)]
    return subprocess.run(command, env=programs, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("index", [0, 255, 256, 511, 600])
def test_aics_tlog_finds_records_in_the_exported_tiles(
    tiles: Path, world: World, whole: Packed, programs: dict[str, str], tmp_path: Path, index: int
) -> None:
    key = world.keys.verifier.to_text()
    with open_reader(world.folder) as reader:
        (tmp_path / "leaf").write_bytes(reader.record(index))
    found = aics(
        programs, "verify-inclusion", "--tiles", tiles, "--log-key", key, "--index", index, "--leaf", tmp_path / "leaf"
    )
    assert found.returncode == 0, found.stderr
    # And with the entry that it takes out of the bundle by itself.
    taken = aics(
        programs,
        "verify-inclusion",
        "--tiles",
        tiles,
        "--log-key",
        key,
        "--index",
        index,
        "--entry-out",
        tmp_path / "entry",
    )
    assert taken.returncode == 0, taken.stderr
    assert (tmp_path / "entry").read_bytes() == (tmp_path / "leaf").read_bytes()
    (tmp_path / "leaf").write_bytes((tmp_path / "leaf").read_bytes() + b" ")
    assert aics(
        programs, "verify-inclusion", "--tiles", tiles, "--log-key", key, "--index", index, "--leaf", tmp_path / "leaf"
    ).returncode != 0  # fmt: skip


def test_aics_tlog_needs_the_quorum_that_is_asked_for(whole: Packed, programs: dict[str, str]) -> None:
    arguments = ["verify-checkpoint", "--note", whole.folder / "ledger/checkpoint.end", "--vkey-file", "../log.vkey"]
    arguments[-1] = whole.folder.parent / "log.vkey"
    witness = (whole.folder.parent / "witness.vkey").read_text().strip()
    assert aics(programs, *arguments, "--witness-key", witness, "--quorum", 1).returncode == 0
    assert aics(programs, *arguments, "--witness-key", witness, "--quorum", 2).returncode != 0


def test_go_finds_every_record_that_holdfast_proves(
    world: World, whole: Packed, foreign_python: Path, tmp_path: Path
) -> None:
    key, checked = world.keys.verifier.to_text(), 0
    with open_reader(world.folder) as reader:
        head = reader.last_checkpoint() or b""
        size = note.parse_checkpoint(note.parse_note(head).text).size
        for index in [*range(0, size, 97), size - 1]:
            (tmp_path / "record").write_bytes(reader.record(index))
            proof = tlogproof.Proof(index, reader.inclusion(index, size), head)
            (tmp_path / "proof").write_bytes(tlogproof.format(proof))
            command = [str(foreign.CHECKER), "record", key, str(tmp_path / "proof"), str(tmp_path / "record")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.stdout == f"record {index} of {size}\n", done.stderr
            checked += 1
    assert checked > 5


def test_a_proof_from_the_folder_carries_the_cosignatures_of_its_checkpoint(
    vouched: World, witness: Witness, tmp_path: Path
) -> None:
    assert main(["prove", "300", "--data", str(vouched.folder), "--out", str(tmp_path / "proof")]) == 0
    proof = tlogproof.parse((tmp_path / "proof").read_bytes())
    (tmp_path / "checkpoint").write_bytes(proof.checkpoint)
    key = vouched.keys.verifier.to_text()
    command = [str(foreign.CHECKER), "cosigned", key, witness.vkey, str(tmp_path / "checkpoint")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def post(url: str, body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(f"{url}/add-checkpoint", data=body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_foreign_witness_refuses_the_fork_that_the_logs_own_key_signed(vouched: World, witness: Witness) -> None:
    with open_reader(vouched.folder) as reader:
        head = note.parse_checkpoint(note.parse_note(reader.last_checkpoint() or b"").text)
        leaves = reader.leaves(0, head.size)
    size = head.size
    leaves[3] = tree.leaf_hash(b"what the owner of the key would rather have written")

    def signed(count: int) -> bytes:
        text = note.Checkpoint(head.origin, count, tree.root_of(leaves[:count])).to_text()
        return note.sign_note(text, vouched.keys.verifier, vouched.keys.ledger.sign).to_text().encode()

    status, _ = post(witness.url, f"old {size}\n\n".encode() + signed(size))
    assert status in {409, 422}
    more = [*leaves, tree.leaf_hash(b"one more")]
    text = note.Checkpoint(head.origin, size + 1, tree.root_of(more)).to_text()
    grown = note.sign_note(text, vouched.keys.verifier, vouched.keys.ledger.sign).to_text().encode()
    proof = "".join(
        base64.b64encode(step).decode() + "\n" for step in tree.consistency_proof(size, size + 1, tree.nodes_of(more))
    )
    status, answer = post(witness.url, f"old {size}\n{proof}\n".encode() + grown)
    assert (status, b"\xe2\x80\x94" in answer) == (422, False)
    status, _ = post(witness.url, f"old {size - 5}\n\n".encode() + signed(size - 5))
    assert status == 409
    kept = json.loads(witness.run("evidence"))
    assert "one more" not in json.dumps(kept)
    assert text.split("\n")[2] in json.dumps(kept)


TOKEN = """
import sys
from cryptography import x509
from rfc3161_client import VerifierBuilder, decode_timestamp_response
token, roots, message = (open(path, "rb").read() for path in sys.argv[1:])
builder = VerifierBuilder()
for root in x509.load_pem_x509_certificates(roots):
    builder = builder.add_root_certificate(root)
builder.build().verify_message(decode_timestamp_response(token), message)
print("stamped", decode_timestamp_response(token).tst_info.gen_time.isoformat())
"""


def test_rfc3161_client_verifies_the_time_stamp_and_refuses_another_checkpoint(
    whole: Packed, foreign_python: Path, tmp_path: Path
) -> None:
    need("openssl")
    token = max((whole.folder / "ledger/timestamps").glob("*.tsr"))
    lines = (whole.folder / "ledger/checkpoint.end").read_bytes().split(b"\n")
    (tmp_path / "stamped").write_bytes(b"\n".join(lines[:5]) + b"\n")
    roots = whole.folder.parent / "tsa-roots.pem"
    for message, code in ((tmp_path / "stamped", 0), (whole.folder / "SHA256SUMS", 1)):
        command = [str(foreign_python), "-I", "-c", TOKEN, str(token), str(roots), str(message)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, "stamped" in done.stdout) == (code, code == 0), done.stderr
    # What was stamped, and the signature at the end; certificates in between may have bytes that nobody looks at.
    data = token.read_bytes()
    for at in (data.index(hashlib.sha256((tmp_path / "stamped").read_bytes()).digest()), len(data) - 1):
        (tmp_path / "damaged").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        files = [str(path) for path in (tmp_path / "damaged", roots, tmp_path / "stamped")]
        command = [str(foreign_python), "-I", "-c", TOKEN, *files]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 1
