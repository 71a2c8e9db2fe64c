package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"rpcapd/sensor"
)

// probeSize is what has to fit on a disk that was full before frames are taken again.
const probeSize = 256 << 10

// failure is the error of something done to a file: it names the file, the cause and the cure, and asks to be tried
// again.
func failure(verb, name string, err error) error {
	if name != "" {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err // it repeats the name
		}
		var link *os.LinkError
		if errors.As(err, &link) {
			err = link.Err
		}
	}
	return fmt.Errorf("%s %s: %w; %s, the output then goes on by itself (%w)", verb, name, err, cure(name, err), sensor.ErrTryAgain)
}

// cure says what to do about a cause.
func cure(name string, err error) string {
	dir := filepath.Dir(name)
	switch {
	case isFull(err):
		return "make room on the disk of " + dir + ", and bound the files with KeepBytes"
	case isQuota(err):
		return "raise the quota of the user on the disk of " + dir + ", and bound the files with KeepBytes"
	case errors.Is(err, syscall.EROFS):
		return "the disk of " + dir + " is read-only (after an error? see dmesg); mount it for writing"
	case errors.Is(err, syscall.EIO):
		return "look at the disk of " + dir + " (dmesg, smartctl)"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "raise the limit of open files (LimitNOFILE of the service)"
	case errors.Is(err, syscall.EFBIG):
		return "the file is as large as it may be; set RotateSize"
	case errors.Is(err, fs.ErrPermission):
		return "give the user of the sensor the right to write to " + dir
	case errors.Is(err, fs.ErrNotExist):
		return "something has moved or deleted it under way; leave .part files alone"
	}
	return "look at " + dir
}
