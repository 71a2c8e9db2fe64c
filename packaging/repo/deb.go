package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// deb is what the lists say about a package.
type deb struct {
	name, version, arch string
	control             string // all fields, without a line feed at the end
	file                string // below apt/
	size                int
	sum                 [sha256.Size]byte
}

// maxControl bounds what a package can make us unpack.
const maxControl = 1 << 20

// word is what a name, an architecture and so a part of a path may be (Policy 5.6.1, 5.6.8).
var word = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]*$`)

// parseDeb reads the fields of a package, deb(5).
func parseDeb(data []byte) (deb, error) {
	d := deb{size: len(data), sum: sha256.Sum256(data)}
	control, err := controlOf(data)
	if err != nil {
		return d, fmt.Errorf("read a Debian package: %w", err)
	}
	d.control = strings.TrimRight(control, "\n")
	fields := map[string]*string{"Package": &d.name, "Version": &d.version, "Architecture": &d.arch}
	for line := range strings.Lines(d.control) {
		if strings.TrimSpace(line) == "" {
			return d, errors.New("read a Debian package: its control file has an empty line")
		}
		name, value, _ := strings.Cut(line, ":")
		if f := fields[name]; f != nil {
			*f = strings.TrimSpace(value)
		}
	}
	if !word.MatchString(d.name) || !word.MatchString(d.arch) || d.version == "" {
		return d, fmt.Errorf("read a Debian package: it has name %q, version %q, architecture %q", d.name, d.version, d.arch)
	}
	return d, nil
}

// controlOf finds control.tar in the archive, and the file control in that.
func controlOf(data []byte) (string, error) {
	const magic, header = "!<arch>\n", 60
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok {
		return "", errors.New("no ar archive")
	}
	for len(rest) >= header {
		name := strings.TrimRight(string(rest[:16]), " /")
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		if err != nil || size < 0 || size > len(rest)-header {
			return "", fmt.Errorf("member %q is cut", name)
		}
		member := rest[header : header+size]
		if strings.HasPrefix(name, "control.tar") {
			return controlFile(path.Ext(name), member)
		}
		rest = rest[min(len(rest), header+size+size%2):]
	}
	return "", errors.New("it has no control.tar")
}

func controlFile(extension string, member []byte) (string, error) {
	var in io.Reader = bytes.NewReader(member)
	var err error
	switch extension {
	case ".gz":
		in, err = gzip.NewReader(in)
	case ".xz":
		in, err = xz.NewReader(in)
	case ".zst":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(in, zstd.WithDecoderMaxMemory(maxControl*16)); err == nil {
			defer z.Close()
			in = z
		}
	case ".tar":
	default:
		err = fmt.Errorf("control.tar%s: unknown compression", extension)
	}
	if err != nil {
		return "", err
	}
	for t := tar.NewReader(io.LimitReader(in, maxControl)); ; {
		h, err := t.Next()
		if err != nil {
			return "", fmt.Errorf("look for the control file: %w", err)
		}
		if path.Clean(h.Name) == "control" {
			text, err := io.ReadAll(t)
			return string(text), err
		}
	}
}
