package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The ordinary user that root runs the command as. It exists inside only.
const (
	userName = "fresh"
	userID   = 64207
)

// furnish gives the ordinary user, in an empty folder, a copy of the working directory, a home, and Go's caches as they
// are. It returns the environment to use them.
func furnish(room string, env []string) ([]string, error) {
	if err := unix.Mount("tmpfs", room, "tmpfs", 0, "mode=755"); err != nil {
		return nil, fmt.Errorf("mount %s: %w", room, err)
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	home := filepath.Join(room, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chown(home, userID, userID); err != nil {
		return nil, err
	}
	if err := copyTree(here, filepath.Join(room, "source")); err != nil {
		return nil, fmt.Errorf("copy %s: %w", here, err)
	}
	env = append(env, "HOME="+home, "USER="+userName, "LOGNAME="+userName, "TMPDIR=/tmp")
	for _, variable := range []string{"GOCACHE", "GOMODCACHE", "GOROOT"} {
		out, err := exec.Command("go", "env", variable).Output()
		if err != nil {
			return nil, fmt.Errorf("go env %s: %w", variable, err)
		}
		to := filepath.Join(room, strings.ToLower(variable))
		if err := shadow(strings.TrimSpace(string(out)), to, variable == "GOCACHE"); err != nil {
			return nil, fmt.Errorf("show %s to the user: %w", variable, err)
		}
		env = append(env, variable+"="+to)
	}
	return append(env, "PATH="+filepath.Join(room, "goroot", "bin")+":"+os.Getenv("PATH")), nil
}

// copyTree copies what was checked out, and what was changed since. All of it belongs to the ordinary user.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if rel == "bin" || rel == "dist" { // what was built
			return filepath.SkipDir
		}
		if err := copyFile(path, filepath.Join(to, rel), d.Type()); err != nil {
			return err
		}
		return os.Lchown(filepath.Join(to, rel), userID, userID)
	})
}

func copyFile(from, to string, kind fs.FileMode) error {
	if kind.IsDir() {
		return os.Mkdir(to, 0o755)
	}
	if kind&fs.ModeSymlink != 0 {
		link, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(link, to)
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}

// shadow shows a folder at another path, where the ordinary user may read and write. What it writes is in memory, and the
// folder stays as it is. Where overlays cannot be mounted, a cache begins empty, and the rest can only be read.
func shadow(from, to string, cache bool) error {
	upper, work := to+".changes", to+".work"
	for _, dir := range []string{to, upper, work} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(from, 0o755); err != nil { // a cache that nobody has used yet
		return err
	}
	err := unix.Mount("overlay", to, "overlay", 0, "lowerdir="+from+",upperdir="+upper+",workdir="+work)
	if err != nil && !cache {
		return unix.Mount(from, to, "", unix.MS_BIND, "")
	}
	return give(to)
}

// give makes folders the ordinary user's, and files where they are not for everybody to read.
func give(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() || info.Mode().Perm()&0o004 == 0 {
			return os.Lchown(path, userID, userID)
		}
		return nil
	})
}
