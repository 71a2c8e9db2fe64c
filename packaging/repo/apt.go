package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ulikunitz/xz"
)

// The one suite and component. Unattended upgrades are allowed by origin and suite.
const (
	origin    = "rpcapd"
	suite     = "stable"
	component = "main"
)

// apt writes the lists of all packages in the pool.
func (r *repository) apt() ([]deb, error) {
	list, err := r.debs()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	byArch := make(map[string][]deb)
	for _, d := range list {
		byArch[d.arch] = append(byArch[d.arch], d)
	}
	arches := slices.Sorted(maps.Keys(byArch))
	before := r.listedBefore()
	var sums strings.Builder
	for _, arch := range arches {
		var text bytes.Buffer
		for _, d := range byArch[arch] {
			fmt.Fprintf(&text, "%s\nFilename: %s\nSize: %d\nSHA256: %x\n\n", d.control, d.file, d.size, d.sum)
		}
		if err := r.writeIndex(component+"/binary-"+arch+"/Packages", text.Bytes(), before, &sums); err != nil {
			return nil, err
		}
	}
	return list, r.writeRelease(arches, sums.String())
}

// debs reads the pool, sorted so that the newest file of a package comes last.
func (r *repository) debs() ([]deb, error) {
	paths, err := filepath.Glob(r.path("apt", "pool", "*", "*.deb"))
	if err != nil {
		return nil, err
	}
	var list []deb
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		d, err := parseDeb(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		d.file = "pool/" + filepath.Base(filepath.Dir(p)) + "/" + filepath.Base(p)
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b deb) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.file, b.file)) })
	return list, nil
}

// writeIndex writes a list plain and compressed, each also under the name of its sum: a client that has read one Release gets the
// lists that belong to it, while the others are replaced. It adds the lines of Release.
func (r *repository) writeIndex(name string, text []byte, before map[string]bool, sums io.Writer) error {
	hashes := r.path("apt", "dists", suite, path.Dir(name), "by-hash", "SHA256")
	stay := maps.Clone(before)
	for _, form := range []struct {
		extension string
		compress  func([]byte) ([]byte, error)
	}{{"", func(b []byte) ([]byte, error) { return b, nil }}, {".gz", gzipped}, {".xz", xzipped}} {
		data, err := form.compress(text)
		if err != nil {
			return err
		}
		sum := fmt.Sprintf("%x", sha256.Sum256(data))
		stay[sum] = true
		if err := cmp.Or(replace(filepath.Join(hashes, sum), data), replace(r.path("apt", "dists", suite, name+form.extension), data)); err != nil {
			return err
		}
		fmt.Fprintf(sums, " %s %d %s\n", sum, len(data), name+form.extension)
	}
	return sweep(hashes, stay)
}

// listedBefore are the sums of the Release that is there.
func (r *repository) listedBefore() map[string]bool {
	sums := make(map[string]bool)
	text, _ := os.ReadFile(r.path("apt", "dists", suite, "Release")) // none the first time
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); line[0] == ' ' && len(f) == 3 {
			sums[f[0]] = true
		}
	}
	return sums
}

// writeRelease writes the file that vouches for all others, and signs it in both forms.
func (r *repository) writeRelease(arches []string, sums string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Origin: %s\nLabel: %s\nSuite: %s\nCodename: %s\n", origin, origin, suite, suite)
	fmt.Fprintf(&b, "Date: %s\n", r.now.Format(time.RFC1123))
	if r.valid > 0 {
		fmt.Fprintf(&b, "Valid-Until: %s\n", r.until().Format(time.RFC1123))
	}
	fmt.Fprintf(&b, "Architectures: %s\nComponents: %s\nDescription: packet-forwarding agent and its sensor\n", strings.Join(arches, " "), component)
	fmt.Fprintf(&b, "Acquire-By-Hash: yes\nNo-Support-for-Architecture-all: Packages\nSHA256:\n%s", sums)
	text := []byte(b.String())
	clear, err := r.key.clearSign(text)
	if err != nil {
		return fmt.Errorf("sign Release: %w", err)
	}
	signature, err := r.key.detach(text)
	if err != nil {
		return fmt.Errorf("sign Release: %w", err)
	}
	if signature, err = armored(signature); err != nil {
		return err
	}
	dir := r.path("apt", "dists", suite)
	return cmp.Or(replace(filepath.Join(dir, "Release"), text), replace(filepath.Join(dir, "Release.gpg"), signature),
		replace(filepath.Join(dir, "InRelease"), clear))
}

// gzipped has no name and no time in it.
func gzipped(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(data)
	err = cmp.Or(err, w.Close())
	return b.Bytes(), err
}

func xzipped(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(data)
	err = cmp.Or(err, w.Close())
	return b.Bytes(), err
}
