package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func (r *repository) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(r.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ring is the published key.
func (r *repository) ring(t *testing.T) openpgp.EntityList {
	t.Helper()
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(r.read(t, keyName)))
	if err != nil || len(ring) != 1 || ring[0].PrivateKey != nil {
		t.Fatal(ring, err)
	}
	return ring
}

// then is the time of a client.
func (r *repository) then() *packet.Config {
	return &packet.Config{Time: func() time.Time { return r.now }}
}

// verifyApt follows the chain of an apt client: key, InRelease, lists, packages. It returns the versions of amd64.
func (r *repository) verifyApt(t *testing.T) (versions []string) {
	t.Helper()
	const dir = "apt/dists/stable/"
	release := r.read(t, dir+"Release")
	block, rest := clearsign.Decode(r.read(t, dir+"InRelease"))
	if block == nil || len(rest) > 0 || strings.TrimSuffix(string(block.Plaintext), "\n") != strings.TrimSuffix(string(release), "\n") {
		t.Fatalf("InRelease does not hold Release, or more: %q", rest)
	}
	if _, err := block.VerifySignature(r.ring(t), r.then()); err != nil {
		t.Errorf("InRelease: %v", err)
	}
	if _, err := openpgp.CheckArmoredDetachedSignature(r.ring(t), bytes.NewReader(release), bytes.NewReader(r.read(t, dir+"Release.gpg")), r.then()); err != nil {
		t.Errorf("Release.gpg: %v", err)
	}
	_, sums, _ := strings.Cut(string(release), "SHA256:\n")
	lines := strings.Split(strings.TrimSpace(sums), "\n")
	if len(lines) != 2*3 {
		t.Fatalf("%d lists in Release, want those of two architectures in three forms", len(lines))
	}
	for _, line := range lines {
		f := strings.Fields(line)
		data := r.read(t, dir+f[2])
		if f[0] != fmt.Sprintf("%x", sha256.Sum256(data)) || f[1] != fmt.Sprint(len(data)) {
			t.Errorf("%s is not what Release says", f[2])
		}
		if !bytes.Equal(data, r.read(t, dir+filepath.Dir(f[2])+"/by-hash/SHA256/"+f[0])) {
			t.Errorf("%s is another one by its hash", f[2])
		}
	}
	for paragraph := range strings.SplitSeq(strings.TrimSpace(string(r.read(t, dir+"main/binary-amd64/Packages"))), "\n\n") {
		field := make(map[string]string)
		for line := range strings.Lines(paragraph) {
			name, value, _ := strings.Cut(line, ":")
			field[name] = strings.TrimSpace(value)
		}
		data := r.read(t, "apt/"+field["Filename"])
		if field["SHA256"] != fmt.Sprintf("%x", sha256.Sum256(data)) || field["Size"] != fmt.Sprint(len(data)) || field["Package"] != "rpcapd" {
			t.Errorf("%s is not what Packages says: %v", field["Filename"], field)
		}
		versions = append(versions, field["Version"])
	}
	return versions
}

// verifyRPM follows the chain of dnf: key, repomd.xml, lists, packages and their own signature.
func (r *repository) verifyRPM(t *testing.T) (versions []string) {
	t.Helper()
	text := r.read(t, "rpm/repodata/repomd.xml")
	if _, err := openpgp.CheckArmoredDetachedSignature(r.ring(t), bytes.NewReader(text), bytes.NewReader(r.read(t, "rpm/repodata/repomd.xml.asc")), r.then()); err != nil {
		t.Errorf("repomd.xml.asc: %v", err)
	}
	var index repomd
	if err := xml.Unmarshal(text, &index); err != nil || len(index.Data) != 3 {
		t.Fatal(index, err)
	}
	lists := make(map[string][]byte)
	for _, d := range index.Data {
		data := r.read(t, "rpm/"+d.Location.Href)
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		open, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if d.Checksum.Sum != fmt.Sprintf("%x", sha256.Sum256(data)) || d.OpenChecksum.Sum != fmt.Sprintf("%x", sha256.Sum256(open)) || d.Size != len(data) || d.OpenSize != len(open) {
			t.Errorf("%s is not what repomd.xml says", d.Location.Href)
		}
		lists[d.Type] = open
	}
	var list struct {
		Packages []struct {
			Version  evr      `xml:"version"`
			Checksum pkgid    `xml:"checksum"`
			Location location `xml:"location"`
			Size     sizes    `xml:"size"`
			Summary  string   `xml:"description"`
		} `xml:"package"`
	}
	if err := xml.Unmarshal(lists["primary"], &list); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<rpm:entry name="/usr/sbin/useradd">`, `<rpm:entry name="libc" flags="GE" epoch="0" ver="2.17">`, `<rpm:provides>`, "<file>/usr/sbin/rpcapd</file>"} {
		if !bytes.Contains(lists["primary"], []byte(want)) {
			t.Errorf("primary.xml lacks %s:\n%s", want, lists["primary"])
		}
	}
	if !bytes.Contains(lists["filelists"], []byte(`<file type="dir">/usr/share/doc/rpcapd</file>`)) {
		t.Errorf("filelists.xml:\n%s", lists["filelists"])
	}
	for _, p := range list.Packages {
		data := r.read(t, "rpm/"+p.Location.Href)
		if p.Checksum.Sum != fmt.Sprintf("%x", sha256.Sum256(data)) || p.Size.Package != len(data) || p.Summary != "A test of <packages> & lists." {
			t.Errorf("%s is not what primary.xml says: %+v", p.Location.Href, p)
		}
		f, err := parseRPM(data)
		if err != nil {
			t.Fatal(err)
		}
		signature := append(f.signatures.binary(sigRSA), f.signatures.binary(sigDSA)...)
		if _, err := openpgp.CheckDetachedSignature(r.ring(t), bytes.NewReader(f.header.raw), bytes.NewReader(signature), r.then()); err != nil {
			t.Errorf("%s: %v", p.Location.Href, err)
		}
		versions = append(versions, p.Version.Ver)
	}
	return versions
}

// TestRepository: each file is what a signed one says, down from the key; new versions come beside the old ones.
func TestRepository(t *testing.T) {
	for name, file := range map[string]string{"RSA": rsaKeyFile(t), "EdDSA": key(t, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}, nil)} {
		t.Run(name, func(t *testing.T) {
			r := newRepository(t, file)
			r.add(t, "1.0.0")
			r.must(t)
			if got := r.verifyApt(t); fmt.Sprint(got) != "[1.0.0]" {
				t.Errorf("apt has versions %v", got)
			}
			if got := r.verifyRPM(t); fmt.Sprint(got) != "[1.0.0]" {
				t.Errorf("dnf has versions %v", got)
			}
			before := r.hashed(t)
			r.packages = t.TempDir() // as after make clean
			r.add(t, "1.1.0")
			r.now = r.now.Add(time.Minute)
			r.must(t)
			if got := r.verifyApt(t); fmt.Sprint(got) != "[1.0.0 1.1.0]" {
				t.Errorf("apt has versions %v", got)
			}
			if got := r.verifyRPM(t); fmt.Sprint(got) != "[1.0.0 1.1.0]" {
				t.Errorf("dnf has versions %v", got)
			}
			for _, path := range before { // for a client that has just read the old lists
				if !exists(path) {
					t.Errorf("%s is gone", path)
				}
			}
			r.now = r.now.Add(time.Minute)
			r.must(t) // signed again, nothing new
			r.verifyApt(t)
			for _, path := range before {
				if exists(path) {
					t.Errorf("%s is there after two more rounds", path)
				}
			}
		})
	}
}

// hashed are the files whose names have a sum.
func (r *repository) hashed(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, pattern := range []string{"apt/dists/stable/main/*/by-hash/SHA256/*", "rpm/repodata/*-*.gz"} {
		found, err := filepath.Glob(r.path(pattern))
		if err != nil || len(found) == 0 {
			t.Fatal(pattern, found, err)
		}
		list = append(list, found...)
	}
	return list
}

// TestFields: what apt decides by stands in Release, and what users fetch names this repository.
func TestFields(t *testing.T) {
	r := newRepository(t, rsaKeyFile(t))
	r.add(t, "1.0.0")
	r.must(t)
	release := string(r.read(t, "apt/dists/stable/Release"))
	for _, want := range []string{
		"Origin: rpcapd\n", "Suite: stable\n", "Codename: stable\n", "Architectures: amd64 arm64\n", "Components: main\n", "Acquire-By-Hash: yes\n",
		"Date: Wed, 02 Jan 2030 03:04:05 UTC\n", "Valid-Until: Tue, 02 Apr 2030 03:04:05 UTC\n",
	} {
		if !strings.Contains(release, want) {
			t.Errorf("Release lacks %q:\n%s", want, release)
		}
	}
	for name, wants := range map[string][]string{
		sourcesName:  {"URIs: " + address + "/apt\n", "Suites: stable\n", "Signed-By: /etc/apt/keyrings/rpcapd.asc\n"},
		repoName:     {"baseurl=" + address + "/rpm\n", "\ngpgcheck=1\n", "\nrepo_gpgcheck=1\n", "gpgkey=" + address + "/rpcapd.asc\n"},
		"index.html": {address + "/rpcapd.sources", r.key.fingerprint(), `href="apt/pool/rpcapd/rpcapd_1.0.0_arm64.deb"`, `href="rpm/packages/rpcapd-1.0.0-1.x86_64.rpm"`},
	} {
		for _, want := range wants {
			if text := string(r.read(t, name)); !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, text)
			}
		}
	}
	r.valid = 0
	r.must(t)
	if release := string(r.read(t, "apt/dists/stable/Release")); strings.Contains(release, "Valid-Until") {
		t.Errorf("a repository without limit has one:\n%s", release)
	}
}

// TestReproducible: the same packages, key and time give the same bytes, and a second run touches nothing.
func TestReproducible(t *testing.T) {
	file := rsaKeyFile(t)
	one, two := newRepository(t, file), newRepository(t, file)
	for _, r := range []*repository{one, two} {
		r.add(t, "1.0.0")
		r.must(t)
	}
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	n := 0
	walk := func(visit func(rel string)) {
		if err := fs.WalkDir(os.DirFS(one.out), ".", func(rel string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				visit(rel)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	walk(func(rel string) {
		if !bytes.Equal(one.read(t, rel), two.read(t, rel)) {
			t.Errorf("%s differs", rel)
		}
		if err := os.Chtimes(one.path(rel), old, old); err != nil {
			t.Fatal(err)
		}
		n++
	})
	if n < 20 {
		t.Errorf("only %d files were compared", n)
	}
	one.must(t)
	walk(func(rel string) {
		if info, err := os.Stat(one.path(rel)); err != nil || !info.ModTime().Equal(old) {
			t.Errorf("%s was written again (%v)", rel, err)
		}
	})
}

// TestRefused: nothing that hosts would refuse, or never notice, gets into a repository.
func TestRefused(t *testing.T) {
	file := rsaKeyFile(t)
	r := newRepository(t, file)
	if err := r.make(); err == nil || !strings.Contains(err.Error(), "make package first") {
		t.Errorf("without packages: %v", err)
	}
	r.add(t, "1.0.0")
	r.must(t)
	for name, data := range map[string][]byte{
		"rpcapd_1.0.0_amd64.deb": makeDeb(t, "rpcapd", "1.0.0", "amd64", "another program"), "rpcapd-1.0.0-1.x86_64.rpm": makeRPM(t, "rpcapd", "1.0.0", "another program"),
	} {
		good := r.packages
		r.packages = t.TempDir()
		put(t, filepath.Join(r.packages, name), data)
		if err := r.make(); err == nil || !strings.Contains(err.Error(), "is there with other content") {
			t.Errorf("%s: a version that changes: %v", name, err)
		}
		r.packages = good
	}
	wrong := makeRPM(t, "rpcapd", "2.0.0", "program")
	wrong[len(wrong)-1] ^= 1
	put(t, filepath.Join(r.packages, "rpcapd-2.0.0-1.x86_64.rpm"), wrong)
	if err := r.make(); err == nil || !strings.Contains(err.Error(), "SHA-256 of the payload") {
		t.Errorf("an rpm with another payload: %v", err)
	}
	if err := os.Remove(filepath.Join(r.packages, "rpcapd-2.0.0-1.x86_64.rpm")); err != nil {
		t.Fatal(err)
	}
	r.must(t)
	r.verifyApt(t)
	r.verifyRPM(t)
}

// TestAnotherKey: only on demand, and then everything is signed by it.
func TestAnotherKey(t *testing.T) {
	r := newRepository(t, rsaKeyFile(t))
	r.add(t, "1.0.0")
	r.must(t)
	old := r.key.fingerprint()
	var err error
	if r.key, err = newSigner(key(t, packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}, nil), "", "", made); err != nil {
		t.Fatal(err)
	}
	if err := r.make(); err == nil || !strings.Contains(err.Error(), old) || !strings.Contains(err.Error(), "-new-key") {
		t.Errorf("another key: %v", err)
	}
	r.newKey = true
	r.must(t)
	r.verifyApt(t)
	r.verifyRPM(t)
}

// TestArguments: mistakes are named.
func TestArguments(t *testing.T) {
	for _, bad := range []string{"", "packages.example.com", "ftp://x/y", "https://", "https://user:secret@x/", "https://x/?a=b", "https://x/a b", "https://x/'$(reboot)'"} {
		if err := (&repository{address: bad}).checkAddress(); err == nil || !strings.Contains(err.Error(), "REPO_URL") {
			t.Errorf("REPO_URL=%q: %v", bad, err)
		}
	}
	for _, good := range []string{"https://packages.example.com/rpcapd", "http://10.0.0.1:8080/", "file:/srv/repo"} {
		if err := (&repository{address: good}).checkAddress(); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "x", "-1", "1e9", "99999"} {
		if err := (&repository{address: address}).start("", bad); err == nil || !strings.Contains(err.Error(), "REPO_VALID_DAYS") {
			t.Errorf("REPO_VALID_DAYS=%q: %v", bad, err)
		}
	}
}
