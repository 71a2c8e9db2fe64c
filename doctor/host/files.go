package host

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"rpcapd/doctor"
)

// Secret looks at who may read or change a file with a secret, or with orders, in it. secret tells that others must not read
// it. The error of a file that is not there is the caller's to tell.
func Secret(path string, secret bool) doctor.Result {
	if runtime.GOOS == "windows" {
		return doctor.NotChecked("not on Windows: icacls %s shows the rights", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return doctor.Failed(err.Error(), "the program cannot read it", "ls -l "+path)
	}
	mode := info.Mode().Perm()
	seen := fmt.Sprintf("%s has mode %04o", path, mode)
	switch {
	case mode&0o002 != 0 || mode&0o020 != 0 && !rootGroup(info):
		return doctor.Warning(seen, "users other than its owner can change it, and with it what the program does", "chmod go-w "+path)
	case secret && mode&0o004 != 0:
		return doctor.Warning(seen, "every user of this host can read the secrets in it", "chmod o-rwx "+path)
	}
	dir := filepath.Dir(path)
	if d, err := os.Stat(dir); err == nil && d.Mode().Perm()&0o002 != 0 && d.Mode()&fs.ModeSticky == 0 {
		return doctor.Warning(fmt.Sprintf("its folder %s has mode %04o", dir, d.Mode().Perm()), "every user of this host can put another file in its place", "chmod o-w "+dir)
	}
	f, err := os.Open(path)
	if err != nil {
		return doctor.NotChecked("%s; this user may not read it: run it as root", seen)
	}
	f.Close()
	return doctor.OK("%s", seen)
}

// rootGroup says that a file is root's: then its group may be trusted.
func rootGroup(info fs.FileInfo) bool {
	uid, ok := ownerOf(info)
	return ok && uid == 0
}
