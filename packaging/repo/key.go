package main

import (
	"bytes"
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// signer signs with a key that somebody else keeps.
type signer interface {
	fingerprint() string                     // of the primary key, in hexadecimal
	public() ([]byte, error)                 // the certificate, armored
	detach(data []byte) ([]byte, error)      // a signature, binary
	clearSign(text []byte) ([]byte, error)   // the text with its signature
	signedBy(signature []byte) (bool, error) // whether this key has made it: only its number is looked at
}

// newSigner takes the key: a file, or a folder that is a home of gpg.
func newSigner(path, id, passphraseFile string, now time.Time) (signer, error) {
	if path == "" {
		return nil, errors.New("REPO_KEY names no key; set it to a file with your secret key (gpg --export-secret-keys --armor), or to a home of gpg (~/.gnupg)")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("REPO_KEY: %w", err)
	}
	if info.IsDir() {
		return newGPG(path, id)
	}
	return readKey(path, passphraseFile, now)
}

// keyFile is a secret key from a file.
type keyFile struct {
	entity *openpgp.Entity
	key    openpgp.Key // that signs: the primary key, or a subkey
	config *packet.Config
}

// minRSA is what apt and rpm of this time accept.
const minRSA = 2048

func readKey(path, passphraseFile string, now time.Time) (*keyFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("REPO_KEY: %w", err)
	}
	read := openpgp.ReadKeyRing
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN")) {
		read = openpgp.ReadArmoredKeyRing
	}
	ring, err := read(bytes.NewReader(data))
	switch {
	case err != nil:
		return nil, fmt.Errorf("REPO_KEY=%s: read an OpenPGP key: %w", path, err)
	case len(ring) != 1:
		return nil, fmt.Errorf("REPO_KEY=%s: has %d keys; export the one that signs", path, len(ring))
	}
	k := &keyFile{entity: ring[0], config: &packet.Config{
		DefaultHash: crypto.SHA512, Time: func() time.Time { return now },
		NonDeterministicSignaturesViaNotation: packet.BoolPointer(false), // the same input gives the same bytes
	}}
	if err := k.unlock(passphraseFile); err != nil {
		return nil, fmt.Errorf("REPO_KEY=%s: %w", path, err)
	}
	if err := k.choose(now); err != nil {
		return nil, fmt.Errorf("REPO_KEY=%s: %w", path, err)
	}
	return k, nil
}

// unlock decrypts the secret parts, if they are encrypted.
func (k *keyFile) unlock(passphraseFile string) error {
	locked := k.entity.PrivateKey != nil && k.entity.PrivateKey.Encrypted
	for _, s := range k.entity.Subkeys {
		locked = locked || s.PrivateKey != nil && s.PrivateKey.Encrypted
	}
	if !locked {
		return nil
	}
	if passphraseFile == "" {
		return errors.New("the key has a passphrase; name a file that holds it with REPO_PASSPHRASE_FILE, or use a home of gpg")
	}
	text, err := os.ReadFile(passphraseFile)
	if err != nil {
		return fmt.Errorf("REPO_PASSPHRASE_FILE: %w", err)
	}
	if err := k.entity.DecryptPrivateKeys([]byte(strings.TrimRight(string(text), "\r\n"))); err != nil {
		return fmt.Errorf("unlock with the passphrase in %s: %w", passphraseFile, err)
	}
	return nil
}

// choose finds the key that signs. An exported key may lack the secret part of its primary key, which is then kept elsewhere.
func (k *keyFile) choose(now time.Time) error {
	usable := func(key openpgp.Key, ok bool) bool { return ok && key.PrivateKey != nil && !key.PrivateKey.Dummy() }
	key, ok := k.entity.SigningKeyById(now, k.entity.PrimaryKey.KeyId) // rpm of older systems does not know subkeys
	if !usable(key, ok) {
		key, ok = k.entity.SigningKey(now)
	}
	if !usable(key, ok) {
		if k.entity.PrivateKey == nil {
			return errors.New("this is a public key; the secret one signs (gpg --export-secret-keys --armor)")
		}
		return errors.New("no key in it can sign now: it has expired, is revoked, not yet valid, or for something else than signing")
	}
	bits, err := key.PublicKey.BitLength()
	switch key.PublicKey.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly:
		if err != nil || bits < minRSA {
			return fmt.Errorf("an RSA key of %d bits is refused by hosts; use one of 4096 bits", bits)
		}
	case packet.PubKeyAlgoEdDSA, packet.PubKeyAlgoECDSA:
	default:
		return fmt.Errorf("apt and rpm do not verify signatures of algorithm %d; use RSA with 4096 bits", key.PublicKey.PubKeyAlgo)
	}
	k.key, k.config.SigningKeyId = key, key.PublicKey.KeyId
	return nil
}

func (k *keyFile) fingerprint() string { return fmt.Sprintf("%X", k.entity.PrimaryKey.Fingerprint) }

func (k *keyFile) public() ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.EncodeWithChecksumOption(&b, openpgp.PublicKeyType, nil, true) // rpm of older systems needs the checksum
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(k.entity.Serialize(w), w.Close()); err != nil {
		return nil, fmt.Errorf("export the public key: %w", err)
	}
	return append(b.Bytes(), '\n'), nil
}

func (k *keyFile) detach(data []byte) ([]byte, error) {
	var b bytes.Buffer
	err := openpgp.DetachSign(&b, k.entity, bytes.NewReader(data), k.config)
	return b.Bytes(), err
}

func (k *keyFile) clearSign(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, k.key.PrivateKey, k.config)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	err = cmp.Or(err, w.Close())
	return append(b.Bytes(), '\n'), err
}

func (k *keyFile) signedBy(signature []byte) (bool, error) { return issued(signature, k.entity) }

// issued says whether a key of the certificate has made a signature, by the numbers of the keys.
func issued(signature []byte, e *openpgp.Entity) (bool, error) {
	s, err := readSignature(signature)
	if err != nil {
		return false, err
	}
	return s.IssuerKeyId != nil && len(openpgp.EntityList{e}.KeysById(*s.IssuerKeyId)) > 0, nil
}

func readSignature(data []byte) (*packet.Signature, error) {
	p, err := packet.Read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read a signature: %w", err)
	}
	s, ok := p.(*packet.Signature)
	if !ok {
		return nil, fmt.Errorf("read a signature: it is a %T", p)
	}
	return s, nil
}

// armored is a signature as a text.
func armored(signature []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.EncodeWithChecksumOption(&b, openpgp.SignatureType, nil, true)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(signature)
	err = cmp.Or(err, w.Close())
	return append(b.Bytes(), '\n'), err
}
