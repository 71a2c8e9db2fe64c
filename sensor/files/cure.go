package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rpcapd/sensor/sink"
)

// What has happened to a directory or a file that is not where it was.
var (
	errMoved     = errors.New("it was moved or deleted while it was in use")
	errReplaced  = errors.New("another file is in its place; it was moved, or a file system is mounted over it")
	errTruncated = errors.New("another program cut it while it was in use")
	errOccupied  = errors.New("another file has its name")
)

// errNoDirectory: a file has the name of the directory, or of one above it. Windows only says that it cannot find the path.
var errNoDirectory = errors.New("not a directory")

// takenError is about one file that somebody else has taken away, while its directory is where it was.
type takenError struct{ error }

func (e takenError) Unwrap() error { return e.error }

func isTaken(err error) bool {
	var e takenError
	return errors.As(err, &e)
}

// fileError is something that cannot be done to a file. It names the file, the cause and the cure, and asks to be tried
// again.
type fileError struct {
	verb, name string
	err        error
	final      bool // it is not tried again
}

// failure takes out of an error what repeats the name.
func failure(verb, name string, err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	if link := (*os.LinkError)(nil); errors.As(err, &link) {
		err = link.Err
	}
	return &fileError{verb: verb, name: name, err: err}
}

func (e *fileError) Error() string {
	text := fmt.Sprintf("%s %s: %v; %s", e.verb, e.name, e.err, cure(e.name, e.err))
	if e.final {
		return text
	}
	return text + "; the output then continues automatically"
}

func (e *fileError) Unwrap() []error {
	if e.final {
		return []error{e.err}
	}
	return []error{e.err, sink.ErrTryAgain}
}

// cure says what to do about a cause.
func cure(name string, err error) string {
	dir := filepath.Dir(name)
	if info, e := os.Stat(name); e == nil && info.IsDir() {
		dir = name // often a disk of its own, so its parent is another
	}
	switch {
	case errors.Is(err, errMoved), errors.Is(err, errReplaced):
		return "stop the sensor before you move, delete or cover what it writes to"
	case errors.Is(err, errTruncated):
		return "do not change files that are in use"
	case errors.Is(err, errOccupied):
		return "move that away"
	case errors.Is(err, errLocked):
		return "stop it, or give this output another name or path"
	case isFull(err):
		return "make room on the disk of " + dir + ", and bound the files with KeepBytes"
	case isQuota(err):
		return "raise the quota of the user on the disk of " + dir + ", and bound the files with KeepBytes"
	case isReadOnly(err):
		return "the disk of " + dir + " is read-only, perhaps after an error (see " + diskLog + "); mount it for writing"
	case isBroken(err):
		return "look at the disk of " + dir + " (" + diskLog + ", smartctl)"
	case tooManyFiles(err):
		return "raise the limit of open files (LimitNOFILE of the service)"
	case isTooLarge(err):
		return "the file has reached the size limit; set RotateSize"
	case isInUse(err):
		return "another program has it open (Explorer, a virus scanner, a reader); close it there"
	case errors.Is(err, fs.ErrPermission):
		return "give the user of the sensor the right to write to " + dir
	case errors.Is(err, fs.ErrNotExist):
		return "another program moved or deleted it while it was in use; do not change .part files"
	}
	return "look at " + dir
}
