import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import EvidenceError
from holdfast.evidence.files import sshsig

PRIVATE, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
PUBLIC, OTHER_PUBLIC = (key.public_key().public_bytes_raw() for key in (PRIVATE, OTHER))
ORIGIN = "gw.example.com/ledger/n1"
DATA = b"0000  README.html\n"
SIGNED = sshsig.sign(DATA, PUBLIC, PRIVATE.sign)
KEYGEN = shutil.which("ssh-keygen")
needs_keygen = pytest.mark.skipif(KEYGEN is None, reason="ssh-keygen is not installed here")


def keygen(*arguments: str, data: bytes = b"", check: bool = True) -> subprocess.CompletedProcess[bytes]:
    assert KEYGEN is not None
    return subprocess.run([KEYGEN, *arguments], input=data, capture_output=True, check=check)


def test_a_signature_made_here_verifies_and_reads_back_the_same() -> None:
    sshsig.verify(DATA, SIGNED, PUBLIC)
    public, namespace, signature = sshsig.parse(SIGNED)
    assert (public, namespace, len(signature)) == (PUBLIC, "holdfast-evidence", 64)


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_a_signature_with_any_byte_changed_is_refused(at: int, mask: int) -> None:
    with pytest.raises(EvidenceError):
        sshsig.verify(DATA, SIGNED[:at] + bytes([SIGNED[at] ^ mask]) + SIGNED[at + 1 :], PUBLIC)


@given(st.integers(0, len(SIGNED) - 1))
def test_a_signature_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(EvidenceError):
        sshsig.parse(SIGNED[:length])


@given(st.binary(max_size=300))
def test_any_bytes_are_a_signature_or_an_error(data: bytes) -> None:
    with contextlib.suppress(EvidenceError):
        sshsig.parse(data)


def test_other_data_keys_and_purposes_are_refused() -> None:
    with pytest.raises(EvidenceError, match="does not hold"):
        sshsig.verify(DATA + b"!", SIGNED, PUBLIC)
    with pytest.raises(EvidenceError, match="is by the key SHA256:"):
        sshsig.verify(DATA, SIGNED, OTHER_PUBLIC)
    with pytest.raises(EvidenceError, match="another purpose"):
        sshsig.verify(DATA, sshsig.sign(DATA, PUBLIC, PRIVATE.sign, "git"), PUBLIC)


@pytest.mark.parametrize("armored", [SIGNED.replace(b"\n", b"\r\n"), SIGNED + b"\n", b"\n" + SIGNED, SIGNED[:-1]])
def test_a_second_spelling_is_refused(armored: bytes) -> None:
    with pytest.raises(EvidenceError):
        sshsig.verify(DATA, armored, PUBLIC)


@pytest.mark.parametrize("principal", ["", "a b", "a,b", "*", "!a", 'a"b', "a\nb", "#a"])
def test_a_principal_that_would_mean_more_than_itself_is_refused(principal: str) -> None:
    with pytest.raises(EvidenceError, match="principal"):
        sshsig.allowed_signers(principal, PUBLIC)


@pytest.fixture
def private_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    return path


@needs_keygen
def test_ssh_keygen_makes_the_same_bytes(tmp_path: Path, private_file: Path) -> None:
    (tmp_path / "SUMS").write_bytes(DATA)
    keygen("-q", "-Y", "sign", "-n", "holdfast-evidence", "-f", str(private_file), str(tmp_path / "SUMS"))
    # Ed25519 has no randomness in it, so both programs have only one answer.
    assert (tmp_path / "SUMS.sig").read_bytes() == SIGNED


@needs_keygen
def test_ssh_keygen_prints_the_same_public_key_and_fingerprint(tmp_path: Path, private_file: Path) -> None:
    line = keygen("-y", "-f", str(private_file)).stdout.decode().split()[:2]
    assert " ".join(line) == sshsig.public_line(PUBLIC)
    (tmp_path / "key.pub").write_text(sshsig.public_line(PUBLIC) + "\n")
    assert keygen("-l", "-f", str(tmp_path / "key.pub")).stdout.decode().split()[1] == sshsig.fingerprint(PUBLIC)


@needs_keygen
def test_ssh_keygen_accepts_the_signature_of_the_one_allowed_signer_for_the_one_purpose(tmp_path: Path) -> None:
    signers, signature = tmp_path / "allowed_signers", tmp_path / "SUMS.sig"
    signers.write_bytes(sshsig.allowed_signers(ORIGIN, PUBLIC))
    signature.write_bytes(SIGNED)

    def accepts(data: bytes, principal: str = ORIGIN, namespace: str = "holdfast-evidence") -> bool:
        asked = ("-Y", "verify", "-f", str(signers), "-I", principal, "-n", namespace, "-s", str(signature))
        return keygen(*asked, data=data, check=False).returncode == 0

    assert accepts(DATA)
    assert not accepts(DATA + b"!")
    assert not accepts(DATA, principal="another/log")
    assert not accepts(DATA, namespace="git")
    signature.write_bytes(sshsig.sign(DATA, OTHER_PUBLIC, OTHER.sign))
    assert not accepts(DATA)
