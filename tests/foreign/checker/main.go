// Command checker lets golang.org/x/mod judge what Holdfast writes: notes, proofs and cosignatures.
//
//	checker note VKEY CHECKPOINT                     the signature, and what it says
//	checker record VKEY PROOF.tlog-proof RECORD      that a Record is in the log, at the index that the proof states
//	checker extends VKEY OLD NEW HASHES              that the log of one checkpoint begins with that of another
//	checker cosigned VKEY WITNESS CHECKPOINT         that a witness cosigned the checkpoint (C2SP tlog-cosignature)
//
// Exit code 0: it holds. 1: it does not. It is the program of an auditor who writes Go: all that is ours is reading files.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	proofHeader      = "c2sp.org/tlog-proof@v1"
	cosignatureType  = 4
	cosignatureBytes = 8 + ed25519.SignatureSize
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "checker:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	checks := map[string]struct {
		count int
		check func([]string) error
	}{"note": {2, checkNote}, "record": {3, checkRecord}, "extends": {4, checkExtends}, "cosigned": {3, checkCosigned}}
	if len(args) == 0 {
		return errors.New("expected note, record, extends or cosigned")
	}
	command, ok := checks[args[0]]
	if !ok || len(args)-1 != command.count {
		return fmt.Errorf("%s: no such command, or not its arguments", args[0])
	}
	return command.check(args[1:])
}

// tree is the checkpoint in data, once the key has signed it. Its origin is the key's name.
func tree(vkey string, data []byte, others ...note.Verifier) (tlog.Tree, *note.Note, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	opened, err := note.Open(data, note.VerifierList(append(others, verifier)...))
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, nil, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, nil, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, opened, err
}

func readTree(vkey, path string) (tlog.Tree, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	found, _, err := tree(vkey, data)
	return found, err
}

func checkNote(args []string) error {
	found, err := readTree(args[0], args[1])
	if err == nil {
		fmt.Println(found.N, found.Hash)
	}
	return err
}

func hashes(text string) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, line := range strings.Fields(text) {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		found = append(found, hash)
	}
	return found, nil
}

func checkRecord(args []string) error {
	proof, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	record, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	head, checkpoint, ok := bytes.Cut(proof, []byte("\n\n"))
	first, rest, _ := strings.Cut(string(head), "\n")
	if !ok || first != proofHeader {
		return errors.New("not a tlog-proof")
	}
	indexLine, path, _ := strings.Cut(rest, "\n")
	index, err := strconv.ParseInt(strings.TrimPrefix(indexLine, "index "), 10, 64)
	if err != nil {
		return err
	}
	steps, err := hashes(path)
	if err != nil {
		return err
	}
	found, _, err := tree(args[0], checkpoint)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(steps, found.N, found.Hash, index, tlog.RecordHash(record)); err != nil {
		return err
	}
	fmt.Println("record", index, "of", found.N)
	return nil
}

func checkExtends(args []string) error {
	older, err := readTree(args[0], args[1])
	if err != nil {
		return err
	}
	newer, err := readTree(args[0], args[2])
	if err != nil {
		return err
	}
	data, err := os.ReadFile(args[3])
	if err != nil {
		return err
	}
	steps, err := hashes(string(data))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(steps, newer.N, newer.Hash, older.N, older.Hash); err != nil {
		return err
	}
	fmt.Println(older.N, "to", newer.N)
	return nil
}

// witness verifies cosignature/v1 lines: eight bytes of time, and Ed25519 over a header with it and the note.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != cosignatureBytes {
		return false
	}
	signed := fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(w.key, signed, sig[8:])
}

func newWitness(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a witness's vkey")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != cosignatureType {
		return nil, errors.New("not the vkey of a witness with Ed25519")
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	return witness{parts[0], binary.BigEndian.Uint32(digest[:]), key[1:]}, nil
}

func checkCosigned(args []string) error {
	known, err := newWitness(args[1])
	if err != nil {
		return err
	}
	data, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	_, opened, err := tree(args[0], data, known)
	if err != nil {
		return err
	}
	for _, signature := range opened.Sigs {
		if signature.Name == known.Name() && signature.Hash == known.KeyHash() {
			fmt.Println("cosigned by", known.Name())
			return nil
		}
	}
	return errors.New("the witness has not cosigned")
}
