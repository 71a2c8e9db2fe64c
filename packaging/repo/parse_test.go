package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// TestPrefixes: a package that is cut anywhere before its payload is an error, and none is a panic.
func TestPrefixes(t *testing.T) {
	d := makeDeb(t, "rpcapd", "1.0.0", "amd64", "program")
	end := strings.Index(string(d), "data.tar.gz")
	for n := range end - 1 {
		if _, err := parseDeb(d[:n]); err == nil {
			t.Fatalf("a deb of %d bytes was read", n)
		}
	}
	p := makeRPM(t, "rpcapd", "1.0.0", "program")
	whole, err := parseRPM(p)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole.headerAt + len(whole.header.raw) {
		if _, err := parseRPM(p[:n]); err == nil {
			t.Fatalf("an rpm of %d bytes was read", n)
		}
	}
}

// TestDebFields: names become paths, so they are looked at.
func TestDebFields(t *testing.T) {
	for _, c := range []struct{ name, version, arch string }{{"../x", "1", "amd64"}, {"x", "1", "../../y"}, {"", "1", "amd64"}, {"x", "", "amd64"}, {"x", "1\n\nPackage: y", "amd64"}} {
		if d, err := parseDeb(makeDeb(t, c.name, c.version, c.arch, "")); err == nil {
			t.Errorf("%q was taken as %q %q %q", c, d.name, d.version, d.arch)
		}
	}
}

func FuzzDeb(f *testing.F) {
	f.Add(makeDeb(f, "rpcapd", "1.0.0", "amd64", "program"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := parseDeb(data); err == nil && (!word.MatchString(d.name) || !word.MatchString(d.arch)) {
			t.Errorf("%q, %q", d.name, d.arch)
		}
	})
}

func FuzzRPM(f *testing.F) {
	f.Add(makeRPM(f, "rpcapd", "1.0.0", "program"))
	k, err := openpgp.NewEntity("Test", "", "test@example.com", &curve)
	if err != nil {
		f.Fatal(err)
	}
	var signature bytes.Buffer
	if err := openpgp.DetachSign(&signature, k, strings.NewReader("header"), nil); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseRPM(data)
		if err != nil {
			return
		}
		signed, err := p.withSignature(signature.Bytes())
		_ = rpmPackage{rpmFile: p}.files()
		_ = rpmPackage{rpmFile: p}.relations()
		if err != nil {
			return
		}
		q, err := parseRPM(signed)
		if err != nil || string(q.signed()) != string(p.signed()) {
			t.Errorf("what is signed cannot be read: %v", err)
		}
	})
}
