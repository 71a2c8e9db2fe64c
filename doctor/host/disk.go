package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"rpcapd/doctor"
)

// little is the free space of a file system that is worth a warning, in bytes, and so is a twentieth of it.
const little = 100 << 20

// Disk looks at the space of the file system of a folder, or of the nearest one that is there.
func Disk(dir string) doctor.Result {
	dir = filepath.Clean(dir)
	for {
		free, total, inodes, err := space(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			dir = filepath.Dir(dir)
			continue
		case errors.Is(err, errors.ErrUnsupported):
			return doctor.NotChecked("not on this system")
		case err != nil:
			return doctor.NotChecked("%s: %v", dir, err)
		}
		seen := fmt.Sprintf("%s has %s free of %s", dir, Bytes(free), Bytes(total))
		switch {
		case free == 0:
			return doctor.Failed(seen, "nothing can be written", "delete what is not needed: du -xh "+dir+" | sort -h | tail")
		case inodes == 0:
			return doctor.Failed(seen+", but no inode", "no file can be made", "delete files that are not needed: df -i "+dir)
		case free < little && free < total/20:
			return doctor.Warning(seen, "soon nothing can be written", "delete what is not needed: du -xh "+dir+" | sort -h | tail")
		}
		return doctor.OK("%s", seen)
	}
}
