package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rpcapd/doctor"
)

// diagnosed runs doctor and returns its report.
func diagnosed(t *testing.T, args ...string) (doctor.Report, int) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	code := run(append([]string{"doctor", "--json"}, args...), out, out)
	b, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	var r doctor.Report
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&r); err != nil {
		t.Fatalf("%v:\n%s", err, b)
	}
	return r, code
}

// unpack is the text of all files of an archive.
func unpack(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(h.Name + "\n" + string(b) + "\n")
	}
}

// TestDoctorSupport: secrets planted in each place of the file are not in the archive; what is no secret is.
func TestDoctorSupport(t *testing.T) {
	dir := t.TempDir()
	ini, archive := filepath.Join(dir, "rpcap-sensor.ini"), filepath.Join(dir, "support.tar.gz")
	const text = `# a comment with PLANTED1
[rule one]
Port = 2103
User = PLANTED2
Password = PLANTED3
Filter = tcp port 4711
[rule PLANTED-no-secret]
Passwort = PLANTED4
[http]
Listen = 127.0.0.1:9399
Account = admin, PLANTED5
Key = KEYFILE
[pcap-over-ip]
Connect = PLANTED7:PLANTED8@host:1
PLANTED9
`
	key := filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(ini, []byte(strings.Replace(text, "KEYFILE", key, 1)), 0o600),
		os.WriteFile(key, []byte("-----BEGIN PRIVATE KEY-----\nPLANTED6\n-----END PRIVATE KEY-----\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, code := diagnosed(t, "-f", ini, "--check", "config,files", "--support", archive); code != exitFailed {
		t.Errorf("exit status %d", code)
	}
	all := unpack(t, archive)
	for n := range 9 {
		if secret := "PLANTED" + strconv.Itoa(n+1); strings.Contains(all, secret) {
			at := strings.Index(all, secret)
			t.Errorf("%s is in the archive: …%s…", secret, all[max(0, at-200):at+20])
		}
	}
	for _, word := range []string{"report.json", "configuration.txt", "system.txt", "network.txt", "tcp port 4711", "127.0.0.1:9399", "[rule one]"} {
		if !strings.Contains(all, word) {
			t.Errorf("%s is not in the archive", word)
		}
	}
}

// TestDoctorSensorPorts: a port that another program has is named, with the command that shows who.
func TestDoctorSensorPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	r, code := diagnosed(t, "--check", "ports", "--listen", "127.0.0.1:"+port, "--udp-port", "61000", "--udp-ports", "1")
	if code != exitFailed || r.Results[0].State != doctor.StateFailed || !strings.Contains(r.Results[0].Seen, port) || !strings.Contains(r.Results[0].Cure, "ss -lntp") {
		t.Errorf("exit status %d, %+v", code, r.Results)
	}
}

func TestDoctorUsage(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	archive := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(archive, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--check", "none"}, {"--support", archive}, {"more"}, {"--nonsense"}} {
		if code := run(append([]string{"doctor"}, args...), null, null); code != exitUsage {
			t.Errorf("%q: exit status %d", args, code)
		}
	}
}
