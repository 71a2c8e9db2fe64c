package doctor

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"rpcapd/openflag"
)

// File is one file of the archive.
type File struct {
	Name string
	Data []byte
}

// JSONFile is a value as a file.
func JSONFile(name string, v any) File {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		b = []byte(err.Error())
	}
	return File{name, append(b, '\n')}
}

// maxFile bounds a file of the archive; of a longer one the end is kept.
const maxFile = 4 << 20

// WriteArchive makes a tar.gz that only its owner can read. It replaces no file.
func WriteArchive(path, folder string, files []File, now time.Time) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	for _, f := range files {
		data := f.Data
		if len(data) > maxFile {
			data = data[len(data)-maxFile:]
		}
		h := &tar.Header{Name: folder + "/" + f.Name, Mode: 0o600, Size: int64(len(data)), ModTime: now, Typeflag: tar.TypeReg}
		if err := t.WriteHeader(h); err != nil {
			return fmt.Errorf("write archive: %w", err)
		}
		if _, err := t.Write(data); err != nil {
			return fmt.Errorf("write archive: %w", err)
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return create(path, b.Bytes())
}

// create writes a file that was not there; what could not be written whole is removed.
func create(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|openflag.NoFollow, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write archive: %s is already there; name another file, or remove it", path)
	}
	if err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path) // a part of it is of no use
		return fmt.Errorf("write archive: %w", err)
	}
	return nil
}
