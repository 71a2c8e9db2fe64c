// Package filelock takes locks on files for as long as their holder lives. It waits for nobody, and writes nothing.
//
//	             Exclusive (flock(2))          Write, Read (fcntl(2))
//	holder       the open file                 the process
//	ends with    the last descriptor of it     the process, or its closing any descriptor of that file
//	covers       the whole file                a Range
//	Holder       cannot tell                   names the process
//
// Use Exclusive to keep two users of a file apart, also two in one process. Use Write where others have to know who the
// holder is, such as which process to signal: the kernel names it, while a number in a file can be forged. A process opens
// a file that it has locked with Write or Read only once.
//
// On Windows (LockFileEx) all three belong to the open file, and Holder knows that there is a holder, but not which process
// it is; it sees no lock of Read. Write and Read wait some milliseconds for a Holder that looks at the same moment.
//
// Where a system has neither, the functions take nothing and say so with errors.ErrUnsupported.
package filelock

import "errors"

// ErrHeld says that another holder has the lock.
var ErrHeld = errors.New("locked by another process")

// Range is a part of a file, which need not exist. The zero value is the whole file.
type Range struct {
	Start, Length int64 // in bytes; a length of 0 has no end
}
