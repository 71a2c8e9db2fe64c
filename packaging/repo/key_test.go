package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"rpcapd/test/netlab"
)

var curve = packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}

// TestKeyRefused: a key that hosts would refuse is refused here, with the reason.
func TestKeyRefused(t *testing.T) {
	public := filepath.Join(t.TempDir(), "public.asc")
	r := newRepository(t, rsaKeyFile(t))
	text, err := r.key.public()
	if err != nil {
		t.Fatal(err)
	}
	put(t, public, text)
	short := curve
	short.KeyLifetimeSecs, short.Time = 60, func() time.Time { return made.Add(-time.Hour) }
	later := curve
	later.Time = func() time.Time { return made.Add(time.Hour) }
	two := filepath.Join(t.TempDir(), "two.gpg")
	one, err := os.ReadFile(key(t, curve, nil))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(key(t, curve, nil))
	if err != nil {
		t.Fatal(err)
	}
	put(t, two, append(one, other...))
	garbage := filepath.Join(t.TempDir(), "garbage")
	put(t, garbage, []byte("no key"))
	for _, c := range []struct{ name, path, want string }{
		{"none", "", "REPO_KEY names no key"},
		{"no file", "/nowhere/key", "REPO_KEY: "},
		{"public", public, "this is a public key"},
		{"expired", key(t, short, nil), "expired"},
		{"not yet valid", key(t, later, nil), "not yet valid"},
		{"two", two, "has 2 keys"},
		{"garbage", garbage, "read an OpenPGP key"},
		{"weak", key(t, packet.Config{RSABits: 1024}, nil), "1024 bits"},
		{"passphrase", lockedKey(t), "REPO_PASSPHRASE_FILE"},
	} {
		if k, err := newSigner(c.path, "", "", made); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want %q", c.name, k, err, c.want)
		}
	}
}

const passphrase = "correct horse"

func lockedKey(t *testing.T) string {
	t.Helper()
	return key(t, curve, func(e *openpgp.Entity) {
		if err := e.EncryptPrivateKeys([]byte(passphrase), nil); err != nil {
			t.Fatal(err)
		}
	})
}

// TestPassphrase: a key with a passphrase signs with the right one.
func TestPassphrase(t *testing.T) {
	file := lockedKey(t)
	right, wrong := filepath.Join(t.TempDir(), "right"), filepath.Join(t.TempDir(), "wrong")
	put(t, right, []byte(passphrase+"\n"))
	put(t, wrong, []byte("battery staple\n"))
	if _, err := newSigner(file, "", wrong, made); err == nil || !strings.Contains(err.Error(), "unlock") {
		t.Errorf("with a wrong passphrase: %v", err)
	}
	k, err := newSigner(file, "", right, made)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := k.detach([]byte("text")); err != nil || len(s) == 0 {
		t.Error(err)
	}
}

// TestGPG: a home of gpg signs like a file, and gpg accepts what a file signs.
func TestGPG(t *testing.T) {
	if _, err := exec.LookPath("gpg"); err != nil {
		netlab.Missing(t, "gpg is not installed (make deps installs it as root)")
	}
	home, err := os.MkdirTemp("", "gpg") // a short path: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() // its agent
		os.RemoveAll(home)
	})
	gpg := func(args ...string) {
		t.Helper()
		cmd := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--no-tty"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("gpg %v: %v\n%s", args, err, out)
		}
	}
	if _, err := newSigner(home, "", "", time.Now()); err == nil || !strings.Contains(err.Error(), "0 secret keys") {
		t.Errorf("an empty home: %v", err)
	}
	gpg("--passphrase", "", "--quick-generate-key", "Test <test@example.com>", "ed25519", "sign", "0")
	k, err := newSigner(home, "", "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := newRepository(t, rsaKeyFile(t))
	r.key, r.now = k, time.Now().UTC()
	r.add(t, "1.0.0")
	r.must(t)
	r.now = time.Now().Add(time.Minute) // gpg has signed with the time of the machine
	r.verifyApt(t)
	r.verifyRPM(t)

	file := newRepository(t, rsaKeyFile(t)) // and the other way round
	file.add(t, "1.0.0")
	file.must(t)
	for _, args := range [][]string{
		{"--import", file.path(keyName)},
		{"--verify", file.path("apt/dists/stable/InRelease")},
		{"--verify", file.path("apt/dists/stable/Release.gpg"), file.path("apt/dists/stable/Release")},
		{"--verify", file.path("rpm/repodata/repomd.xml.asc"), file.path("rpm/repodata/repomd.xml")},
	} {
		gpg(append([]string{"--faked-system-time", "20300103T000000"}, args...)...)
	}
}
