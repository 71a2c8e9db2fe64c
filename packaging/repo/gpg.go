package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// gpgHome signs with gpg, which asks its agent: the key may be on a card, and its passphrase is the agent's business.
type gpgHome struct {
	dir, id string
	entity  *openpgp.Entity
	cert    []byte
}

func newGPG(dir, id string) (*gpgHome, error) {
	g := &gpgHome{dir: dir, id: id}
	if g.id == "" {
		out, err := g.run(nil, "--list-secret-keys", "--with-colons")
		if err != nil {
			return nil, err
		}
		var ids []string
		secret := false
		for line := range strings.Lines(string(out)) {
			field := strings.Split(strings.TrimSpace(line), ":")
			switch {
			case field[0] == "sec":
				secret = true
			case field[0] == "fpr" && secret && len(field) > 9:
				ids, secret = append(ids, field[9]), false
			}
		}
		if len(ids) != 1 {
			return nil, fmt.Errorf("REPO_KEY=%s: has %d secret keys %v; name one with REPO_KEY_ID", dir, len(ids), ids)
		}
		g.id = ids[0]
	}
	cert, err := g.run(nil, "--export", "--armor", "--export-options", "export-minimal", g.id)
	if err != nil {
		return nil, err
	}
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(cert))
	if err != nil || len(ring) != 1 {
		return nil, fmt.Errorf("REPO_KEY=%s: REPO_KEY_ID=%q stands for %d keys (%v)", dir, g.id, len(ring), err)
	}
	g.entity, g.cert = ring[0], cert
	return g, nil
}

func (g *gpgHome) run(input []byte, args ...string) ([]byte, error) {
	cmd := exec.Command("gpg", append([]string{"--homedir", g.dir, "--batch", "--no-tty", "--digest-algo", "SHA512"}, args...)...)
	cmd.Stdin = bytes.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("gpg %s: %w: %s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return out.Bytes(), nil
}

func (g *gpgHome) fingerprint() string { return fmt.Sprintf("%X", g.entity.PrimaryKey.Fingerprint) }

func (g *gpgHome) public() ([]byte, error) { return g.cert, nil }

func (g *gpgHome) detach(data []byte) ([]byte, error) {
	return g.run(data, "--detach-sign", "--local-user", g.id)
}

func (g *gpgHome) clearSign(text []byte) ([]byte, error) {
	return g.run(text, "--clear-sign", "--local-user", g.id)
}

func (g *gpgHome) signedBy(signature []byte) (bool, error) { return issued(signature, g.entity) }
