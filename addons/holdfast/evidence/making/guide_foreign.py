"""The part of `VERIFY.md` on programs that nobody here wrote. tests/foreign runs these very commands."""

from typing import Final

FOREIGN: Final = rb"""## With programs that nobody here wrote

Unpack the package, go into its folder, and keep the key that you got from elsewhere beside it, as `../log.vkey`. `N` is
the index of a Record among the samples: `samples/selection.json` lists them. `HOLDFAST` is a folder with Holdfast's
source in which `make foreign` has been run; the two programs from there read files and ask a library by others.

### sha256sum: the files are those of the list

```sh
sha256sum --check --quiet SHA256SUMS
```

### ssh-keygen: the list is signed by the ledger's key

```sh
ssh-keygen -Y verify -f trust/allowed_signers -I "$(head -n 1 ledger/checkpoint.end)" \
    -n holdfast-evidence -s SHA256SUMS.sig < SHA256SUMS
```

`trust/allowed_signers` came with the package: compare its key with yours. `ssh-keygen` prints the fingerprint.

### openssl: the last checkpoint is signed by the ledger's key

```sh
sed '/^$/,$d' ledger/checkpoint.end > ../text
sed -n '/^$/{n;p;}' ledger/checkpoint.end | cut -d ' ' -f 3 | base64 -d | tail -c 64 > ../signature
openssl pkeyutl -verify -rawin -pubin -inkey trust/log.pub.pem -in ../text -sigfile ../signature
```

### aics-tlog: checkpoint, cosignatures and inclusion, from the tiles

```sh
aics-tlog verify-checkpoint --note ledger/checkpoint.end --vkey-file ../log.vkey
aics-tlog verify-inclusion --tiles ledger/tiles --checkpoint ledger/checkpoint.end --vkey-file ../log.vkey \
    --index "$N" --leaf "samples/$N.json"
```

### aics-tlog with a witness: a witness whose key you have cosigned the last checkpoint

```sh
aics-tlog verify-checkpoint --note ledger/checkpoint.end --vkey-file ../log.vkey \
    --witness-key "$(cat ../witness.vkey)" --quorum 1
```

### golang.org/x/mod: checkpoint and inclusion

```sh
"$HOLDFAST/.foreign/bin/checker" note "$(cat ../log.vkey)" ledger/checkpoint.end
"$HOLDFAST/.foreign/bin/checker" record "$(cat ../log.vkey)" "samples/$N.tlog-proof" "samples/$N.json"
```

### golang.org/x/mod with a witness: a witness whose key you have cosigned the last checkpoint

```sh
"$HOLDFAST/.foreign/bin/checker" cosigned "$(cat ../log.vkey)" "$(cat ../witness.vkey)" ledger/checkpoint.end
```

### golang.org/x/mod with a start: the last checkpoint continues the first, where the range has one

```sh
"$HOLDFAST/.foreign/bin/checker" extends "$(cat ../log.vkey)" \
    ledger/checkpoint.start ledger/checkpoint.end ledger/consistency/*.txt
```

### @sigstore/verify: checkpoint and inclusion

```sh
node "$HOLDFAST/tests/foreign/sigstore.js" "$HOLDFAST/.foreign/node_modules" \
    trust/log.pub.pem "samples/$N.tlog-proof" "samples/$N.json"
```

### openssl with a time stamp: the last checkpoint existed when the stamp says

```sh
sed '/^$/{n;q;}' ledger/checkpoint.end > ../stamped
openssl ts -verify -data ../stamped -in "$(ls ledger/timestamps/*.tsr | tail -n 1)" -CAfile ../tsa-roots.pem
```

`../tsa-roots.pem` holds the certificates of the authority, got from it; `trust/tsa-roots.pem` is the operator's copy.
What is stamped is the checkpoint with the ledger's signature and without cosignatures.

### Python alone: all of it, with the standard library

```sh
python3 -I verify.py "$PACKAGE" --trust ../log.vkey
```

`PACKAGE` is the package as you received it, not unpacked. Python 3.11 or newer, nothing installed.
"""
