import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.witness.worlds import Log

from holdfast.errors import LedgerError
from holdfast.witness import protocol

LOG = Log().grown(9)


@given(old=st.integers(min_value=0, max_value=9))
def test_a_submission_is_read_back_as_it_was_written(old: int) -> None:
    data = LOG.submission(old)
    assert protocol.parse_submission(data).to_bytes() == data


@given(st.binary(max_size=300))
def test_any_bytes_are_a_submission_or_an_error(data: bytes) -> None:
    try:
        parsed = protocol.parse_submission(data)
    except LedgerError:
        return
    assert parsed.to_bytes() == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old 0\n",
        b"old 00\n\nx",
        b"old -1\n\nx",
        b"old +1\n\nx",
        b"old 1 \n\nx",
        b"old\n\nx",
        b"new 1\n\nx",
        b"OLD 1\n\nx",
        b"old 99999999999999999999\n\nx",
        "old \u0661\n\nx".encode(),
        b"old 1\nnot base64\n\nx",
        b"old 1\nAAAA\n\nx",
        b"old 1\r\n\r\nx",
        b"old 1\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\nx",
        # Bits that no byte has: a second spelling of the same hash.
        b"old 1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\nx",
    ],
)
def test_what_is_no_submission_is_refused(data: bytes) -> None:
    with pytest.raises(LedgerError):
        protocol.parse_submission(data)


def test_a_submission_may_have_63_lines_of_proof() -> None:
    data = b"old 1\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 63 + b"\nx"
    assert len(protocol.parse_submission(data).proof) == 63


def test_an_answer_with_text_before_its_lines_is_no_answer() -> None:
    text = LOG.checkpoint().decode().rpartition("\n\n")[0] + "\n"
    with pytest.raises(LedgerError):
        protocol.parse_signatures(b"hello\n", text)
    with pytest.raises(LedgerError):
        protocol.parse_signatures(b"", text)
