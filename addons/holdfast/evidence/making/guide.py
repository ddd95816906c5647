"""`VERIFY.md`: how to check a package, with Holdfast and without."""

from typing import Final

from holdfast.evidence.making.guide_foreign import FOREIGN

_OURS: Final = b"""\
# How to verify this package

You need one thing that is not in here: the ledger's public key, from somebody other than the sender of the package. It
is one line, a *vkey*, like the one in `trust/log.vkey`. Compare it, or the fingerprints in `trust/fingerprints.txt`.

## With Holdfast

    python3 -I verify.py PACKAGE.zip --trust log.vkey

`verify.py` is in this package and needs Python 3.11 or newer, nothing else. A sender could put anything here: take it
from somebody you trust, or compare it with Holdfast's source, with which it is `python scripts/evidence.py verify`.
Exit code 0: verified. 1: something was changed; the first thing that is wrong is named. 2: it cannot be verified, for
instance because no key was given, or because the quorum of witnesses that your trust file asks for has not vouched.
Keep the package packed: its bytes are checked too.

`--trust` takes vkey lines, or a C2SP tlog-policy with the witnesses that you know; `--tsa-roots` takes certificates of
time-stamping authorities. What stands in `trust/` is the sender's word.

| step | what is checked |
|---|---|
| V1 | every file against the signed manifest and SHA256SUMS, both against your key; no file beyond the layout |
| V2 | the checkpoints at both ends are signed; rotations lead from your key to the one that signed; your quorum |
| V3 | the hashes of what came before lead to the first checkpoint, and the last one extends it |
| V4 | every Record is there, or its leaf hash; in order, they lead to the last checkpoint |
| V5 | every checkpoint in between lies on the same tree, and the tiles are of this tree |
| V6 | cosignatures and time stamps against the Records' times; the tamper window |
| V7 | every Record has the form of its schema; clocks and heartbeats |
| V8 | every call has a reply, or a recorded reason why not |
| V9 | every masked payload is the one that was committed to, or a Record says that it was erased |
| V10 | the rules in force are here, and each change names what it replaced |
| V11 | approvals: signature, approver, requester, exact call, time, single use |
| V12 | every table, event and page, made again from the Records, is the same |
| V13 | the samples are those that your nonce draws, each with a proof |

## By hand

- Files: unpack, then `sha256sum -c SHA256SUMS`.
- The manifest is an in-toto Statement v1 in a DSSE envelope; its signature covers
  `DSSEv1 <length of type> <type> <length of payload> <payload>` with the Ed25519 key in `trust/log.pub.pem`.
- A checkpoint is a C2SP signed note: the signature covers the text up to and including the line feed before the empty
  line. Of the base64 after the name, the first four bytes are the key's id and the other 64 the signature:
  `openssl pkeyutl -verify -rawin -pubin -inkey trust/log.pub.pem -in TEXT -sigfile SIGNATURE`.
- Records: each line of `ledger/entries-*.jsonl.gz` is one Record. Leaf = SHA-256(0x00 and the line without its line
  feed), node = SHA-256(0x01 and both children), RFC 6962. `ledger/range-start.txt` holds the peaks of the tree before
  the first line, largest first, base64; `ledger/withheld.txt` index and leaf of each Record that is withheld.
- A payload, one line of `payloads/payloads-*.jsonl.gz`, belongs to its Record if HMAC-SHA256 with its `key` (base64)
  over `holdfast/payload/v1`, a zero byte, the content type, a zero byte and the payload is the commitment in the
  Record.
- An approval is a DSSE envelope, `approvals/<hold>/decision-*.dsse.json`; approvers' keys are in
  `trust/approvers.json`, and in the rule file under `objects/`.

"""

_LIMITS: Final = b"""\
## What this does not prove

That no traffic went past the gateway. That the gateway told the truth when it wrote: who controls its machine can
have it write what did not happen. That Records of the tamper window, for which nobody outside has vouched, were not
rewritten by whoever has the ledger's key; a witness that the gateway's operator runs is a weak one. That masking
found everything. That an approver understood. What withheld Records and erased payloads say. That any law or standard
is complied with.
"""

GUIDE: Final = _OURS + FOREIGN + b"\n" + _LIMITS
