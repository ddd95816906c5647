"""`VERIFY.md`: how to check a package, with Holdfast and without."""

from typing import Final

GUIDE: Final = b"""\
# How to verify this package

You need one thing that is not in here: the ledger's public key, from somebody other than the sender of the package. It
is one line, a *vkey*, like the one in `trust/log.vkey`. Compare it, or the fingerprints in `trust/fingerprints.txt`.

## With Holdfast

    python scripts/evidence.py verify PACKAGE.zip --trust log.vkey

needs Python 3.13 and Holdfast's source, nothing else. Exit code 0: verified. 1: something was changed; the first thing
that is wrong is named. 2: it cannot be verified, for instance because no key was given. Keep the package packed: its
bytes are checked too.

| step | what is checked |
|---|---|
| V1 | every file against the signed manifest, the manifest against your key |
| V2 | the checkpoints at both ends are signed by your key |
| V3 | the hashes of what came before lead to the first checkpoint |
| V4 | every Record is there, in order, and together they lead to the last checkpoint |
| V5 | every checkpoint in between lies on the same tree |
| V6 | time and witnesses from outside (none in this version) |
| V7 | every Record has the form of its schema; clocks and heartbeats |
| V8 | every call has a reply, or a recorded reason why not |
| V9 | every masked payload is the one that was committed to |
| V10 | the rules in force are here, and each change names what it replaced |
| V11 | approvals: signature, approver, requester, exact call, time, single use |
| V12 | the report and every table, made again from the Records, are the same |

## Without Holdfast

- Files: unpack, then `sha256sum -c SHA256SUMS`.
- The manifest is an in-toto Statement v1 in a DSSE envelope; its signature covers
  `DSSEv1 <length of type> <type> <length of payload> <payload>` with the Ed25519 key in `trust/log.pub.pem`.
- A checkpoint is a C2SP signed note: the signature covers the text up to and including the line feed before the empty
  line. Of the base64 after the name, the first four bytes are the key's id and the other 64 the signature:
  `openssl pkeyutl -verify -rawin -pubin -inkey trust/log.pub.pem -in TEXT -sigfile SIGNATURE`.
- Records: each line of `ledger/entries-*.jsonl.gz` is one Record. Leaf = SHA-256(0x00 and the line without its line
  feed), node = SHA-256(0x01 and both children), RFC 6962. `ledger/range-start.txt` holds the peaks of the tree before
  the first line, largest first, base64.
- A payload belongs to its Record if HMAC-SHA256 with the payload's `key` over `holdfast/payload/v1`, a zero byte, the
  content type, a zero byte and the payload is the commitment in the Record.
- An approval is a DSSE envelope, `approvals/<hold>/decision-*.dsse.json`; approvers' keys are in
  `trust/approvers.json`, and in the rule file under `objects/`.

## What this does not prove

That no traffic went past the gateway. That the gateway told the truth when it wrote: who controls the machine and the
ledger's key can write what did not happen, and rewrite what no outside holder of a checkpoint has seen. That masking
found everything. That an approver understood. That any law is complied with.
"""
