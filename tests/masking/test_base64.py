"""Base64 of texts: whole values, resources, and runs within longer texts."""

import base64

import pytest
from tests.masking.test_protocol_positions import PAN, SSN, STARS, at, mask, text_of

from holdfast.jsontext import Json
from holdfast.masking.masker import Masker


async def test_text_in_a_base64_resource_is_masked(masker: Masker) -> None:
    blob = base64.b64encode(f"name,card\nBob,{PAN}\n".encode()).decode()
    resource: Json = {"uri": "x://y.csv", "mimeType": "text/csv", "blob": blob}
    masked = await mask(masker, {"id": 1, "result": {"contents": [resource]}})
    changed = at(masked.forward, "result", "contents", 0, "blob")
    assert base64.b64decode(str(changed)).decode() == f"name,card\nBob,{STARS}\n"
    assert blob not in text_of(masked.keep)


@pytest.mark.parametrize("mime", ["text/plain", "application/octet-stream", "image/png"])
async def test_text_posing_as_an_image_is_still_found(masker: Masker, mime: str) -> None:
    blob = base64.b64encode(f"my card is {PAN}".encode()).decode()
    content: Json = [{"type": "image", "mimeType": mime, "data": blob}]
    masked = await mask(masker, {"id": 1, "result": {"content": content}})
    assert blob not in text_of(masked.forward)


async def test_an_image_is_left_alone(masker: Masker) -> None:
    blob = base64.b64encode(bytes(range(256)) * 20).decode()
    content: Json = [{"type": "image", "mimeType": "image/png", "data": blob}]
    masked = await mask(masker, {"id": 1, "result": {"content": content}})
    assert at(masked.forward, "result", "content") == content
    assert masked.findings == ()


async def test_base64_in_a_plain_string_is_opened(masker: Masker) -> None:
    blob = base64.b64encode(f"ssn {SSN}".encode()).decode()
    masked = await mask(masker, {"id": 1, "result": {"x": blob}})
    assert base64.b64decode(str(at(masked.forward, "result", "x"))).decode() == "ssn <US_SSN>"


IN_BASE64 = base64.b64encode(f"the number is {SSN}, as said".encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        "data:text/plain;base64,{}",
        "data:;base64,{}",
        "see (data:text/csv;charset=utf-8;base64,{}) above",
        "apiVersion: v1\nkind: Secret\ndata:\n  note: {}\n",
        '{{"a": 1}} and then {}',
        "first {} then {}",
    ],
)
async def test_base64_of_a_text_within_a_text_is_opened(masker: Masker, form: str) -> None:
    masked = await mask(masker, {"id": 1, "result": {"x": form.format(IN_BASE64, IN_BASE64)}})
    inside = base64.b64encode(b"the number is <US_SSN>, as said").decode()
    assert at(masked.forward, "result", "x") == form.format(inside, inside)
    assert at(masked.keep, "result", "x") == form.format(inside, inside)
    assert masked.counts()["US_SSN"] == form.count("{}")


async def test_base64_within_a_text_is_opened_for_what_is_kept_where_its_mask_does_not_travel(masker: Masker) -> None:
    blob = base64.b64encode(f"it was from 10.20.30.40, with the card {PAN}".encode()).decode()
    masked = await mask(masker, {"id": 1, "result": {"x": f"from 10.20.30.40 too: {blob}"}})
    said, kept = (str(at(message, "result", "x")).rpartition(" ")[2] for message in (masked.forward, masked.keep))
    assert base64.b64decode(said).decode() == f"it was from 10.20.30.40, with the card {STARS}"
    assert "10.20.30.40" not in base64.b64decode(kept).decode()
    assert str(at(masked.forward, "result", "x")).startswith("from 10.20.30.40 too")
    assert masked.counts() == {"CREDIT_CARD": 1, "IP_ADDRESS": 2}


async def test_what_is_no_text_in_base64_within_a_text_stays(masker: Masker) -> None:
    text = f"sha256-{base64.b64encode(bytes(range(7, 39))).decode()} src/holdfast/masking/protocol_positions.py"
    masked = await mask(masker, {"id": 1, "result": {"x": text}})
    assert at(masked.forward, "result", "x") == text
