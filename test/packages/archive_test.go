//go:build unix

package packages

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// entry is one file of a package.
type entry struct {
	mode        int64
	owner, data string
	dir         bool
}

// readTar lists a tar archive by absolute names.
func readTar(t *testing.T, r io.Reader) map[string]entry {
	t.Helper()
	list := make(map[string]entry)
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		name := "/" + strings.Trim(strings.TrimPrefix(h.Name, "."), "/")
		list[name] = entry{mode: h.Mode & 0o7777, owner: h.Uname + ":" + h.Gname, data: string(data), dir: h.Typeflag == tar.TypeDir}
	}
}

// debMember returns a member of a deb, which is an ar archive (deb(5)), unpacked by
// the program that its name asks for.
func debMember(t *testing.T, path, prefix string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const magic, header = "!<arch>\n", 60
	if !bytes.HasPrefix(data, []byte(magic)) {
		t.Fatalf("%s is no ar archive", path)
	}
	for at := len(magic); at+header <= len(data); {
		name := strings.TrimRight(string(data[at:at+16]), " /")
		size, err := strconv.Atoi(strings.TrimSpace(string(data[at+48 : at+58])))
		if err != nil {
			t.Fatal(err)
		}
		at += header
		if strings.HasPrefix(name, prefix) {
			return unpack(t, name, data[at:at+size])
		}
		at += size + size%2
	}
	t.Fatalf("%s has no %s", path, prefix)
	return nil
}

func unpack(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	switch {
	case strings.HasSuffix(name, ".gz"):
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return out
	case strings.HasSuffix(name, ".xz"):
		cmd := exec.Command("xz", "--decompress", "--stdout")
		cmd.Stdin = bytes.NewReader(data)
		out, err := cmd.Output()
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip("needs xz to look into a deb")
		}
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	return data
}

func debFiles(t *testing.T, path string) map[string]entry {
	return readTar(t, bytes.NewReader(debMember(t, path, "data.tar")))
}

func debControl(t *testing.T, path string) map[string]entry {
	return readTar(t, bytes.NewReader(debMember(t, path, "control.tar")))
}

// gunzipped is the text of a compressed file of a package.
func (e entry) gunzipped(t *testing.T) string {
	t.Helper()
	return string(unpack(t, "x.gz", []byte(e.data)))
}

// apkFiles reads all streams of an apk: signature, control and data follow each other.
func apkFiles(t *testing.T, path string) map[string]entry {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return readTar(t, bytes.NewReader(unpack(t, "x.gz", data)))
}

func (e entry) String() string { return fmt.Sprintf("%s %o", e.owner, e.mode) }
