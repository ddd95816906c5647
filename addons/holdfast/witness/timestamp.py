"""Time stamps of RFC 3161: asking for one, and checking one with whatever program is there to check it.

Importing this needs the standard library only. Asking needs `rfc3161-client`; checking takes that, or the program
`openssl`, and says so where neither is there.
"""

import datetime as dt
import importlib.util
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from holdfast.errors import LedgerError

TOKEN_BYTES_MAX: Final = 64 * 1024  # about 1 KB, and the authority's certificates
OPENSSL_S_MAX: Final = 30
QUERY_TYPE: Final = "application/timestamp-query"  # RFC 3161, section 3.4
REPLY_TYPE: Final = "application/timestamp-reply"
# As `openssl ts -reply -text` prints it; fractions of a second are dropped here as there.
_TIME: Final = re.compile(r"^Time stamp: (\w{3} +\d{1,2} \d\d:\d\d:\d\d)(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE)


class NotCheckedError(LedgerError):
    """Nothing on this machine can check a time stamp: neither rfc3161-client nor the program openssl is there."""


def request(message: bytes) -> tuple[bytes, int]:
    """A request (DER) for a time stamp over ``message``, and the nonce that the answer must repeat.

    Raises:
        NotCheckedError: rfc3161-client is not installed.
    """
    client = _client()
    if client is None:
        raise NotCheckedError("asking for a time stamp needs rfc3161-client")
    # SHA-256: every authority takes it, and the ledger rests on it anyway.
    builder = client.TimestampRequestBuilder().data(message).hash_algorithm(client.HashAlgorithm.SHA256)
    query = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    return bytes(query.as_bytes()), int(query.nonce)


def check(token: bytes, message: bytes, roots_pem: bytes, nonce: int | None = None) -> dt.datetime:
    """The time (UTC) that ``token``, a DER TimeStampResp, vouches that ``message`` existed at.

    Args:
        token: the authority's whole answer.
        message: the bytes that were stamped.
        roots_pem: the certificates to which the signer's certificate must lead, valid at that time.
        nonce: what the answer must repeat; None where the request is not known.

    Raises:
        NotCheckedError: nothing here can check it.
        LedgerError: it does not hold: over other bytes, not signed under these roots, expired, not granted.
    """
    if len(token) > TOKEN_BYTES_MAX:
        raise LedgerError(f"the time stamp has more than {TOKEN_BYTES_MAX} bytes")
    client = _client()
    if client is not None:
        return _check_with_client(client, token, message, roots_pem, nonce)
    program = shutil.which("openssl")
    if program is None or nonce is not None:
        raise NotCheckedError("checking a time stamp needs rfc3161-client, or the program openssl")
    return check_with_openssl(program, token, message, roots_pem)


def _client() -> Any:
    if importlib.util.find_spec("rfc3161_client") is None:
        return None
    import rfc3161_client  # noqa: PLC0415 -- a verifier runs without it

    return rfc3161_client


def _check_with_client(client: Any, token: bytes, message: bytes, roots_pem: bytes, nonce: int | None) -> dt.datetime:
    from cryptography import x509  # noqa: PLC0415 -- as above

    try:
        roots = x509.load_pem_x509_certificates(roots_pem)
        response = client.decode_timestamp_response(token)
        builder = client.VerifierBuilder()
        for root in roots:
            builder = builder.add_root_certificate(root)
        if nonce is not None:
            builder = builder.nonce(nonce)
        builder.build().verify_message(response, message)
        at: dt.datetime = response.tst_info.gen_time
    except (ValueError, client.VerificationError) as error:
        # The library's words are about the token's form and certificates; a token has no content of ours.
        raise LedgerError(f"the time stamp does not hold: {str(error)[:200]}") from None
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)


def check_with_openssl(program: str, token: bytes, message: bytes, roots_pem: bytes) -> dt.datetime:
    """:func:`check`, by the program `openssl` at the path ``program``.

    Raises:
        LedgerError: see :func:`check`.
        NotCheckedError: the program cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder:
        files = {"token.tsr": token, "message": message, "roots.pem": roots_pem}
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        text = _run([program, "ts", "-reply", "-in", "token.tsr", "-text"], folder)
        found = _TIME.search(text or "")
        if found is None:
            raise LedgerError("the time stamp does not hold: openssl finds no time in it")
        stated = dt.datetime.strptime(f"{found[1]} {found[2]} +0000", "%b %d %H:%M:%S %Y %z")
        # As of the time stated: a certificate that has ended since does not undo what it stamped before.
        moment = ["-attime", str(int(stated.timestamp()))]
        files_given = ["-in", "token.tsr", "-data", "message", "-CAfile", "roots.pem"]
        if _run([program, "ts", "-verify", *files_given, *moment], folder) is None:
            raise LedgerError("the time stamp does not hold: openssl does not verify it")
    return stated


def _run(command: list[str], folder: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 -- arguments of our own
            command, cwd=folder, capture_output=True, check=False, timeout=OPENSSL_S_MAX, env={"LC_ALL": "C"}
        )
    except (OSError, subprocess.TimeoutExpired):
        raise NotCheckedError("openssl cannot be run") from None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
