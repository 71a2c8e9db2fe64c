package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
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
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs, defaultFile: filepath.Join(t.TempDir(), "rpcapd.ini")}
	code := a.execute(append([]string{"doctor", "--json"}, args...))
	var r doctor.Report
	if code != exitUsage {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%v:\n%s%s", err, &out, &errs)
		}
	}
	return r, code
}

// TestDoctorSupport: secrets planted in the ini are not in the archive; what is no secret is.
func TestDoctorSupport(t *testing.T) {
	dir := t.TempDir()
	ini, archive := filepath.Join(dir, "rpcapd.ini"), filepath.Join(dir, "support.tar.gz")
	for n, text := range []string{
		"ActiveClient = 127.0.0.1, 9\n# PLANTED1\nAccount = sensor1, $2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\nNullAuthPermit = YES\n",
		"ActiveClient = 127.0.0.1, 9\nAccount = sensor1, PLANTED2\nAccount = PLANTED3\nPassword = PLANTED4\nActiveClient = user:PLANTED5@host, 2003\n",
	} {
		if err := os.WriteFile(ini, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		diagnosed(t, "-f", ini, "--check", "config,files", "--support", archive+strconv.Itoa(n), "--run-dir", dir)
		all := unpack(t, archive+strconv.Itoa(n))
		for _, secret := range []string{"PLANTED1", "PLANTED2", "PLANTED3", "PLANTED4", "PLANTED5", "N9qo8uLOickgx2ZMRZoMye"} {
			if at := strings.Index(all, secret); at >= 0 {
				t.Errorf("%s is in the archive: …%s…", secret, all[max(0, at-200):at+20])
			}
		}
		for _, word := range []string{"report.json", "configuration.txt", "system.txt", "network.txt"} {
			if !strings.Contains(all, word) {
				t.Errorf("%s is not in the archive", word)
			}
		}
	}
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

// TestDoctorConfig: each problem of the ini is a result of its own, and a missing ini says how to make one.
func TestDoctorConfig(t *testing.T) {
	ini := filepath.Join(t.TempDir(), "rpcapd.ini")
	if err := os.WriteFile(ini, []byte("ActiveClient = host, 99999\nNonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, code := diagnosed(t, "-f", ini, "--check", "config")
	if code != exitFailed || r.Summary.Failed != 2 || !strings.Contains(r.Results[0].Seen, "rpcapd.ini:1") {
		t.Errorf("exit status %d, %+v", code, r.Results)
	}
	r, code = diagnosed(t, "--check", "config")
	if code != exitFailed || !strings.Contains(r.Results[0].Cure, "rpcapd setup --sensor") {
		t.Errorf("exit status %d, %+v", code, r.Results)
	}
	if _, code := diagnosed(t, "--check", "none"); code != exitUsage {
		t.Errorf("exit status %d", code)
	}
}
