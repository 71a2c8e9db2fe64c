package oci

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// File is a file or a folder of an image. Folders above it are made as root's, with mode 0755, unless they are in the list.
type File struct {
	Path       string // absolute
	Mode       int64  // with the sticky bit as 0o1000
	UID, GID   int
	Data       []byte
	Folder     bool
	Capability int // 1 + the number of a capability that the file gives who executes it; 0: none
}

// layer is a set of files as an image has it.
type layer struct {
	packed []byte // gzip
	diffID string // digest of the tar
}

// newLayer packs files.
func newLayer(files []File, when time.Time) (layer, error) {
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, f := range withParents(files) {
		h := &tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(f.Path, "/"), Mode: f.Mode, Uid: f.UID, Gid: f.GID,
			Size: int64(len(f.Data)), ModTime: when,
		}
		if f.Folder {
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		}
		if f.Capability > 0 {
			h.Format = tar.FormatPAX
			h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": permits(f.Capability - 1)}
		}
		if err := w.WriteHeader(h); err != nil {
			return layer{}, fmt.Errorf("pack %s: %w", f.Path, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return layer{}, fmt.Errorf("pack %s: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return layer{}, err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return layer{}, err
	}
	_, err = z.Write(plain.Bytes())
	if err := cmp.Or(err, z.Close()); err != nil {
		return layer{}, err
	}
	return layer{packed.Bytes(), digest(plain.Bytes())}, nil
}

// withParents adds the folders that are missing, and sorts: a folder comes before what is in it.
func withParents(files []File) []File {
	list := slices.Clone(files)
	known := make(map[string]bool)
	for _, f := range files {
		known[f.Path] = true
	}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "/"; dir = path.Dir(dir) {
			if !known[dir] {
				known[dir] = true
				list = append(list, File{Path: dir, Mode: 0o755, Folder: true})
			}
		}
	}
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// permits is the extended attribute that puts a capability into the permitted set of who executes the file (capabilities(7), version 2:
// five little-endian words). It does not make it effective, so that the file can be executed also where the
// capability is not to be had: with the effective bit the kernel refuses that.
func permits(capability int) string {
	const version2 = 0x02000000
	words := [5]uint32{0: version2}
	words[1+2*(capability/32)] = 1 << (capability % 32)
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return string(b)
}

// digest names a blob by its content.
func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }
