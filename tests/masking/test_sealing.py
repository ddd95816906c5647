"""`operator: encrypt`: a mask that its key holder can open, and nobody else."""

import asyncio
import io
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from scripts import rules as command
from tests.masking.conftest import KEY, rules_of

from holdfast.call import Call, Direction, Reply
from holdfast.errors import MaskingError, RulesError
from holdfast.jsontext import Json
from holdfast.masking.holder_commands import public_bytes, public_text
from holdfast.masking.masker import Masker
from holdfast.masking.sealing import VALUE_CHARS_MAX, KeyHolder, is_sealed, open_all, seal

SSN = "234-45-6789"
PRIVATE = X25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = X25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
DPO = KeyHolder("dpo", PRIVATE.public_key().public_bytes_raw())
RULES = f"""\
version: 1
key_holders: [{{name: dpo, public_key: {public_text(PRIVATE)}}}]
entities:
  - {{entity: US_SSN, operator: encrypt, key_holder: dpo, forward: to_client}}
  - {{entity: PROJECT, operator: replace}}
keys:
  - {{id: ssn-key, entity: US_SSN, names: [ssn]}}
deny:
  - {{id: projects, entity: PROJECT, words: [Bluebird]}}
"""


@pytest.fixture(scope="module")
def masker() -> Masker:
    return Masker(rules_of(RULES), KEY)


def opened(text: str) -> str:
    return open_all(text, "dpo", PRIVATE)[0]


def told(masker: Masker, value: Json) -> Json:
    reply = Reply(1, {"structuredContent": value}, None, Direction.TO_CLIENT)
    done = asyncio.run(masker.mask(reply, server="crm")).forward
    assert isinstance(done, Reply)
    assert isinstance(done.result, dict)
    return done.result["structuredContent"]


def test_the_holder_opens_what_was_masked_and_finds_the_text_as_it_was(masker: Masker) -> None:
    text = f"his SSN is {SSN}, and hers 345-67-8901."
    kept = masker.keep_text(text)
    assert SSN not in kept
    assert kept.startswith("his SSN is <US_SSN_enc:dpo:")
    assert open_all(kept, "dpo", PRIVATE) == (text, 2)


def test_nobody_else_opens_it_and_a_changed_mask_is_not_opened(masker: Masker) -> None:
    kept = masker.keep_text(SSN)
    with pytest.raises(MaskingError, match="cannot be opened with this key"):
        open_all(kept, "dpo", OTHER)
    flipped = kept.replace("US_SSN_enc", "US_SSM_enc")
    with pytest.raises(MaskingError, match="US_SSM for dpo"):
        opened(flipped)
    assert open_all(kept, "somebody", PRIVATE) == (kept, 0)


def test_masking_an_encrypted_value_again_changes_nothing(masker: Masker) -> None:
    kept = masker.keep_text(f"a {SSN} b")
    assert masker.keep_text(kept) == kept
    inner = told(masker, {"ssn": SSN, "deep": f'{{"ssn": "{SSN}"}}', SSN: 1})
    assert told(masker, inner) == inner


def test_what_only_looks_like_a_mask_is_scanned_like_any_text(masker: Masker) -> None:
    forged = f"<US_SSN_enc:dpo:{'A' * 40}-Bluebird-{'A' * 40}:0123456789abcdef>"
    assert "Bluebird" not in masker.keep_text(forged)
    under_another_key = seal("Bluebird", "US_SSN", DPO, bytes(32))
    assert under_another_key is not None
    assert not is_sealed(under_another_key, KEY)
    ours = seal("x", "US_SSN", DPO, KEY)
    assert ours is not None
    assert is_sealed(ours, KEY)
    assert not is_sealed(ours + ours, KEY)
    assert not is_sealed(ours.replace("dpo", "dpa"), KEY)


def test_a_value_has_one_mask_in_a_message_and_another_in_the_next(masker: Masker) -> None:
    first, second = (told(masker, [SSN, f"again {SSN}"]) for _ in range(2))
    assert isinstance(first, list)
    assert first[1] == f"again {first[0]}"
    assert first != second
    assert opened(str(first)) == opened(str(second))


def test_a_value_under_a_key_and_a_number_are_encrypted_in_what_is_kept(masker: Masker) -> None:
    reply = Reply(1, {"structuredContent": {"ssn": 234456789, "x": {"ssn": "unknown 1"}}}, None, Direction.TO_CLIENT)
    done = asyncio.run(masker.mask(reply, server="crm"))
    assert isinstance(done.forward, Reply)
    assert isinstance(done.forward.result, dict)
    content = done.forward.result["structuredContent"]
    assert isinstance(content, dict)
    assert content["ssn"] == 0
    assert opened(str(content["x"])) == "{'ssn': 'unknown 1'}"
    assert "'ssn': '234456789'" in opened(str(done.keep.to_json()))


def test_what_goes_to_the_server_is_not_encrypted(masker: Masker) -> None:
    call = Call("tools/call", {"name": "x", "arguments": {"note": SSN}}, 1, Direction.TO_SERVER)
    done = asyncio.run(masker.mask(call, server="crm"))
    assert done.forward == call
    assert SSN in opened(str(done.keep.to_json()))


def test_a_value_that_is_too_long_is_masked_and_cannot_be_opened(masker: Masker) -> None:
    long = "1" + "x" * VALUE_CHARS_MAX
    assert told(masker, {"ssn": long}) == {"ssn": "<US_SSN>"}


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("key_holder: dpo, ", "", "key_holder"),
        ("key_holder: dpo, ", "key_holder: nobody, ", "nobody"),
        ("forward: to_client", "forward: both", "an approval binds"),
        ("forward: to_client", "forward: to_server", "an approval binds"),
        (", forward: to_client", "", "an approval binds"),
        ("operator: encrypt", "operator: replace", "operator: encrypt"),
        (public_text(PRIVATE), "AAAA", "no X25519 public key"),
        (public_text(PRIVATE), f"{public_text(PRIVATE)}=", "no X25519 public key"),
        ("name: dpo", "name: D P O", "no name"),
        ("key_holders: [", f"key_holders: [{{name: dpo, public_key: {public_text(PRIVATE)}}}, ", "stands twice"),
    ],
)
def test_a_mistake_about_key_holders_is_named(before: str, after: str, problem: str) -> None:
    assert before in RULES
    with pytest.raises(RulesError, match=re.escape(problem)):
        rules_of(RULES.replace(before, after, 1))


def test_the_public_key_has_one_spelling() -> None:
    assert public_bytes(public_text(PRIVATE)) == DPO.public_key
    assert public_bytes(public_text(PRIVATE)[:-1]) is None
    assert public_bytes("é" * 43) is None


def test_the_commands_make_a_key_and_open_a_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "dpo.pem"
    assert command.main(["make-key", "--out", str(key)]) == 0
    public = public_bytes(capsys.readouterr().out.strip())
    assert public is not None
    assert key.stat().st_mode & 0o777 == 0o600
    mask = seal(SSN, "US_SSN", KeyHolder("dpo", public), KEY)
    text = tmp_path / "kept.txt"
    text.write_text(f"it is {mask}\n")
    assert command.main(["open", "--key", str(key), str(text)]) == 0
    assert capsys.readouterr() == (f"it is {SSN}\n", "1 masks opened\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{mask}"))
    assert command.main(["open", "--key", str(key), "--holder", "dpo"]) == 0
    assert capsys.readouterr().out == SSN


def test_the_commands_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, text = tmp_path / "dpo.pem", tmp_path / "kept.txt"
    assert command.main(["make-key", "--out", str(key)]) == 0
    text.write_text(f"{seal(SSN, 'US_SSN', DPO, KEY)} {seal(SSN, 'US_SSN', KeyHolder('cfo', DPO.public_key), KEY)}")
    capsys.readouterr()
    assert command.main(["make-key", "--out", str(key)]) == 1
    assert command.main(["open", "--key", str(text), str(text)]) == 1
    assert command.main(["open", "--key", str(key), str(tmp_path / "none")]) == 1
    assert command.main(["open", "--key", str(key), str(text)]) == 1
    assert command.main(["open", "--key", str(key), "--holder", "dpo", str(text)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "Name a new file" in said.err
    assert "no private key that can be read" in said.err
    assert "cfo, dpo" in said.err
    assert "cannot be opened with this key" in said.err
    assert SSN not in said.err
