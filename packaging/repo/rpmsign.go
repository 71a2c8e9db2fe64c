package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Tags of the signature header. A signature of the header covers the payload, because the header has its sum. Systems since
// RHEL 8 (rpm 4.14) check both; dnf on any checks the sum of the whole file in the signed list.
const (
	sigRegion   = 62
	sigDSA      = 267 // also those of other curves
	sigRSA      = 268
	sigSHA256   = 273
	sigReserved = 1008
	sigWholePGP = 1002
	sigWholeGPG = 1005

	tagPayloadDigest = 5092
)

// signRPM writes the package with a signature of its header, in place of those that it has.
func (r *repository) signRPM(p *rpmFile, to string) error {
	if sum := p.header.text(tagPayloadDigest); sum != fmt.Sprintf("%x", sha256.Sum256(p.payload)) {
		return errors.New("the header does not have the SHA-256 of the payload, so a signature would not cover the files")
	}
	if sum := p.signatures.text(sigSHA256); sum != fmt.Sprintf("%x", sha256.Sum256(p.header.raw)) {
		return errors.New("the header does not have the SHA-256 that the package says")
	}
	signature, err := r.key.detach(p.header.raw)
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	data, err := p.withSignature(signature)
	if err != nil {
		return err
	}
	return replace(to, data)
}

// withSignature is the package with this signature.
func (p *rpmFile) withSignature(signature []byte) ([]byte, error) {
	tag, err := signatureTag(signature)
	if err != nil {
		return nil, err
	}
	list := maps.Clone(p.signatures.entries)
	for _, old := range []int32{sigRegion, sigDSA, sigRSA, sigReserved, sigWholePGP, sigWholeGPG} {
		delete(list, old)
	}
	list[tag] = entry{kind: typeBinary, count: uint32(len(signature)), data: signature}
	signed, err := appendHeader(list)
	if err != nil {
		return nil, err
	}
	padding := make([]byte, (8-len(signed)%8)%8)
	return slices.Concat(p.lead, signed, padding, p.header.raw, p.payload), nil
}

// appendHeader lays out a signature header: first the entry of the region, which stands for all others, and whose data, an
// entry that points back, come last.
func appendHeader(list map[int32]entry) ([]byte, error) {
	var index, store []byte
	for _, tag := range slices.Sorted(maps.Keys(list)) {
		e := list[tag]
		size, align, err := e.size()
		if err != nil {
			return nil, fmt.Errorf("entry %d of the signature header: %w", tag, err)
		}
		for len(store)%align != 0 {
			store = append(store, 0)
		}
		index = appendEntry(index, tag, e.kind, int32(len(store)), e.count)
		store = append(store, e.data[:size]...)
	}
	n := len(list) + 1
	region := appendEntry(nil, sigRegion, typeBinary, int32(len(store)), entrySize)
	store = appendEntry(store, sigRegion, typeBinary, int32(-n*entrySize), entrySize)
	b := []byte{0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0}
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	b = binary.BigEndian.AppendUint32(b, uint32(len(store)))
	return slices.Concat(b, region, index, store), nil
}

func appendEntry(b []byte, tag int32, kind uint32, at int32, count uint32) []byte {
	for _, v := range []uint32{uint32(tag), kind, uint32(at), count} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// signatureTag is where rpm looks for a signature of this kind.
func signatureTag(signature []byte) (int32, error) {
	s, err := readSignature(signature)
	if err != nil {
		return 0, err
	}
	if s.PubKeyAlgo == packet.PubKeyAlgoRSA || s.PubKeyAlgo == packet.PubKeyAlgoRSASignOnly {
		return sigRSA, nil
	}
	return sigDSA, nil
}

// size is how many bytes an entry has, and what its place is a multiple of.
func (e entry) size() (size, align int, err error) {
	switch e.kind {
	case typeInt32:
		size, align = int(e.count)*4, 4
	case typeBinary:
		size, align = int(e.count), 1
	case typeString:
		size, align = bytes.IndexByte(e.data, 0)+1, 1
	default:
		return 0, 0, fmt.Errorf("type %d is not expected there", e.kind)
	}
	if size <= 0 || size > len(e.data) {
		return 0, 0, errCut
	}
	return size, align, nil
}

// ownRPM says whether the signature in a package is by this key. rpm verifies it; here it is about which key.
func (r *repository) ownRPM(p *rpmFile) (bool, error) {
	for _, tag := range []int32{sigRSA, sigDSA} {
		if s := p.signatures.binary(tag); s != nil {
			return r.key.signedBy(s)
		}
	}
	return false, nil
}
