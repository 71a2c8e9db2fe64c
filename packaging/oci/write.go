package oci

import (
	"archive/tar"
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"
)

// WriteFolder writes the layout with all platforms and returns the digest of the image. The folder must not exist.
func (l *Layout) WriteFolder(dir string) (digest string, err error) {
	list, image, err := l.entries()
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("write image: %w", err)
	}
	for _, name := range sorted(list) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return "", fmt.Errorf("write image: %w", err)
		}
		if err := os.WriteFile(file, list[name], 0o644); err != nil {
			return "", fmt.Errorf("write image: %w", err)
		}
	}
	return image.Digest, nil
}

// WriteTar writes the layout with all platforms as one file, for podman load and skopeo.
func (l *Layout) WriteTar(file string) error {
	list, _, err := l.entries()
	if err != nil {
		return err
	}
	return writeTar(file, list, l.when)
}

// WriteSingleTar writes the image of the platform that was added as number i, for docker load, podman load and crane push.
func (l *Layout) WriteSingleTar(i int, file string) error {
	list, err := l.single(i)
	if err != nil {
		return err
	}
	return writeTar(file, list, l.when)
}

func writeTar(file string, list map[string][]byte, when time.Time) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	w := tar.NewWriter(f)
	made := make(map[string]bool)
	for _, name := range sorted(list) {
		for _, dir := range parents(name) {
			if made[dir] {
				continue
			}
			made[dir] = true
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: when}); err != nil {
				return fmt.Errorf("write %s: %w", file, err)
			}
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(list[name])), ModTime: when}); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
		if _, err := w.Write(list[name]); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
	}
	return w.Close()
}

// parents are the folders above a file, the uppermost first.
func parents(name string) (list []string) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		list = append([]string{dir}, list...)
	}
	return list
}
