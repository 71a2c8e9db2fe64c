package windows

import (
	"archive/zip"
	"cmp"
	"compress/flate"
	"io"
	"os"
	"path/filepath"
	"time"
)

// File is one file of a package: where it is now, and its name there.
type File struct{ Source, Name string }

// Zip writes the files below one folder, in their order, with one time.
func Zip(out, folder string, files []File, when time.Time) (err error) {
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	z := zip.NewWriter(f)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, file := range files {
		h := &zip.FileHeader{Name: folder + "/" + filepath.ToSlash(file.Name), Method: zip.Deflate, Modified: when}
		h.SetMode(0o644)
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		in, err := os.Open(file.Source)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, in)
		in.Close() // it was only read
		if err != nil {
			return err
		}
	}
	return z.Close()
}
