package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// hidden are the paths that do not exist inside: what packages and install scripts put there, what running services
// keep, and the signs of a systemd that runs.
var hidden = []string{
	"/etc/rpcap*", "/etc/default/rpcap*", "/etc/sysconfig/rpcap*", "/etc/conf.d/rpcap*", "/etc/init.d/rpcap*",
	"/usr/sbin/rpcap*", "/usr/bin/rpcap*", "/usr/local/sbin/rpcap*", "/usr/local/bin/rpcap*",
	"/usr/share/rpcap*", "/usr/share/doc/rpcap*", "/var/lib/rpcap*", "/var/log/rpcap*", "/opt/extrahop",
	"/etc/systemd/system/rpcap*", "/usr/lib/systemd/system/rpcap*", "/lib/systemd/system/rpcap*",
	"/run/rpcap*", "/run/systemd/system", "/run/systemd/journal",
}

// hide makes the mounts private and takes away what is hidden. The users given are added to those of the machine.
func hide(users string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, name := range []string{"/etc/passwd", "/etc/group"} {
		if err := replaceAccounts(name, users); err != nil {
			return fmt.Errorf("hide the accounts of %s: %w", name, err)
		}
	}
	folders := make(map[string][]string) // the hidden names of each
	for _, pattern := range hidden {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, path := range paths {
			dir, err := filepath.EvalSymlinks(filepath.Dir(path)) // /lib is /usr/lib
			if err != nil {
				return err
			}
			folders[dir] = append(folders[dir], filepath.Base(path))
		}
	}
	inner := sortedByDepth(folders)
	for _, dir := range inner { // what is deeper first, since it is taken along
		if err := without(dir, folders[dir]); err != nil {
			return fmt.Errorf("hide %s of %s: %w", strings.Join(folders[dir], ", "), dir, err)
		}
	}
	return nil
}

func sortedByDepth(folders map[string][]string) []string {
	var list []string
	for dir := range folders {
		list = append(list, dir)
	}
	slices.SortFunc(list, func(a, b string) int { return strings.Count(b, "/") - strings.Count(a, "/") })
	return list
}

// without puts a new folder over one, in which all but some names are the same. An empty folder mounted on each name would
// do for none of them: a program asks whether they exist.
func without(dir string, names []string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	old, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(old)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("mode=%o", info.Mode().Perm())); err != nil {
		return err
	}
	for _, e := range entries {
		if slices.Contains(names, e.Name()) {
			continue
		}
		if err := show(fmt.Sprintf("/proc/self/fd/%d/%s", old, e.Name()), filepath.Join(dir, e.Name()), e.Type()); err != nil {
			return err
		}
	}
	return nil
}

// show makes a path the same as another.
func show(from, to string, kind fs.FileMode) error {
	switch {
	case kind&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case kind.IsDir():
		if err := os.Mkdir(to, 0o755); err != nil {
			return err
		}
	default:
		if err := os.WriteFile(to, nil, 0o644); err != nil {
			return err
		}
	}
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("show %s: %w", to, err)
	}
	return nil
}

// replaceAccounts puts a list of users or groups over the machine's, with others at its beginning and without ours.
func replaceAccounts(path, added string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if strings.HasSuffix(path, "group") && added != "" {
		name, _, _ := strings.Cut(added, ":")
		added = fmt.Sprintf("%s:x:%d:\n", name, userID)
	}
	list := added
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "rpcap") {
			list += line
		}
	}
	if list == string(text) {
		return nil
	}
	return cover(path, []byte(list))
}

// cover puts another content over a file. It has a name in a file system that is seen no more: nothing could be mounted
// on a file without one, and this program may run inside itself.
func cover(path string, content []byte) error {
	dir, err := os.MkdirTemp("", "fresh-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }() // the namespace ends with the process
	name := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(name, content, 0o644); err != nil {
		return err
	}
	if err := os.Chmod(name, 0o644); err != nil { // whatever the umask
		return err
	}
	return unix.Mount(name, path, "", unix.MS_BIND, "")
}
