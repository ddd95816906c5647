// Lets @sigstore/verify judge what Holdfast writes: node sigstore.js MODULES PUBLIC.pem PROOF.tlog-proof RECORD
//
// The package verifies Rekor's checkpoints and inclusion proofs, which have the same formats. All that is ours is reading
// files. Exit code 0: the checkpoint is signed and the Record is in it. 1: not so.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const [modules, keyPath, proofPath, recordPath] = process.argv.slice(2);
const tlog = path.join(modules, "@sigstore", "verify", "dist", "tlog");
const { verifyCheckpoint } = require(path.join(tlog, "checkpoint.js"));
const { verifyMerkleInclusion } = require(path.join(tlog, "merkle.js"));

const proof = fs.readFileSync(proofPath, "utf8");
const blank = proof.indexOf("\n\n");
const envelope = proof.slice(blank + 2);
const [header, indexLine, ...hashes] = proof.slice(0, blank).split("\n");
if (header !== "c2sp.org/tlog-proof@v1") throw new Error("not a tlog-proof");

const publicKey = crypto.createPublicKey(fs.readFileSync(keyPath));
const origin = envelope.slice(0, envelope.indexOf("\n"));
const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
// signed-note: the key's id is a hash over its name, its type (1, Ed25519) and its bytes.
const logID = crypto.createHash("sha256").update(`${origin}\n\x01`, "latin1").update(raw).digest();

const entry = {
  canonicalizedBody: fs.readFileSync(recordPath),
  inclusionProof: {
    logIndex: indexLine.slice("index ".length),
    hashes: hashes.map((hash) => Buffer.from(hash, "base64")),
    checkpoint: { envelope },
  },
};

try {
  const checkpoint = verifyCheckpoint(entry, [{ logID, baseURL: origin, publicKey }]);
  verifyMerkleInclusion(entry, checkpoint);
  console.log(`record ${indexLine.slice("index ".length)} of ${checkpoint.logSize}`);
} catch (error) {
  console.error(`sigstore.js: ${error.message}`);
  process.exit(1);
}
