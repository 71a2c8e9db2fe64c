package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/google/rpmpack"
)

// made is when the repositories of the tests are made.
var made = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// address is one that nobody looks at.
const address = "https://packages.example.com/rpcapd"

// newRepository is one with a key and without packages.
func newRepository(t *testing.T, key string) *repository {
	t.Helper()
	r := &repository{packages: t.TempDir(), out: filepath.Join(t.TempDir(), "repo"), address: address, now: made, valid: validDays * 24 * time.Hour, say: t.Logf}
	var err error
	if r.key, err = newSigner(key, "", "", r.now); err != nil {
		t.Fatal(err)
	}
	return r
}

// key makes a throw-away key and returns its file.
func key(t *testing.T, config packet.Config, change func(*openpgp.Entity)) string {
	t.Helper()
	if config.Time == nil {
		config.Time = func() time.Time { return made.Add(-time.Hour) }
	}
	e, err := openpgp.NewEntity("Test", "", "test@example.com", &config)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(e)
	}
	var b bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&b, &config); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "secret.gpg")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rsaKey is the same for all tests: it takes some time to make.
var rsaKey = sync.OnceValues(func() ([]byte, error) {
	config := &packet.Config{RSABits: 2048, Time: func() time.Time { return made.Add(-time.Hour) }}
	e, err := openpgp.NewEntity("Test", "", "test@example.com", config)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = e.SerializePrivateWithoutSigning(&b, config)
	return b.Bytes(), err
})

func rsaKeyFile(t *testing.T) string {
	t.Helper()
	data, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "secret.gpg")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// must makes the repository.
func (r *repository) must(t *testing.T) {
	t.Helper()
	if err := r.make(); err != nil {
		t.Fatal(err)
	}
}

// add puts packages of a version into the folder that they are taken from.
func (r *repository) add(t *testing.T, version string) {
	t.Helper()
	for _, arch := range []string{"amd64", "arm64"} {
		put(t, filepath.Join(r.packages, "rpcapd_"+version+"_"+arch+".deb"), makeDeb(t, "rpcapd", version, arch, "program "+version))
	}
	put(t, filepath.Join(r.packages, "rpcapd-"+version+"-1.x86_64.rpm"), makeRPM(t, "rpcapd", version, "program "+version))
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// makeDeb makes a package with one file of nothing that matters.
func makeDeb(t testing.TB, name, version, arch, content string) []byte {
	t.Helper()
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: Test <test@example.com>\nDescription: a test\n of packages\n", name, version, arch)
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{
		{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", archiveOf(t, "./control", control)}, {"data.tar.gz", archiveOf(t, "./usr/sbin/"+name, content)},
	} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", m.name, 0, 0, 0, "100644", len(m.data), m.data)
		if len(m.data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func archiveOf(t testing.TB, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if w.Close() != nil || z.Close() != nil {
		t.Fatal("close")
	}
	return b.Bytes()
}

func makeRPM(t testing.TB, name, version, content string) []byte {
	t.Helper()
	p, err := rpmpack.NewRPM(rpmpack.RPMMetaData{
		Name: name, Version: version, Release: "1", Arch: "x86_64", OS: "linux", Summary: "a test", Description: "A test of <packages> & lists.", Licence: "Apache-2.0",
		BuildTime: made, Compressor: "gzip", Requires: rpmpack.Relations{{Name: "/usr/sbin/useradd"}, {Name: "libc", Version: "2.17", Sense: rpmpack.SenseGreater | rpmpack.SenseEqual}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.AddFile(rpmpack.RPMFile{Name: "/usr/sbin/" + name, Body: []byte(content), Mode: 0o755, Owner: "root", Group: "root"})
	p.AddFile(rpmpack.RPMFile{Name: "/usr/share/doc/" + name, Mode: 0o40755, Owner: "root", Group: "root"})
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
