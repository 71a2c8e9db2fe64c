package files

import (
	"errors"
	"fmt"
	"os"

	"rpcapd/savefile"
)

// OneFile is a file, or a named pipe or device, that a Single writes to.
type OneFile struct {
	*os.File
	info    os.FileInfo // of it, to know it again
	size    int64       // written
	regular bool
	begun   bool
	prompt  promptWriter
}

// OpenOneFile opens or makes a file. It is emptied by the first write, so that a sensor that cannot start leaves an old
// one as it was.
func OpenOneFile(name string) (*OneFile, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, fileMode)
	if err != nil {
		return nil, fmt.Errorf("open output: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open output: %w", err), f.Close())
	}
	o := &OneFile{File: f, info: info, regular: info.Mode().IsRegular()}
	o.prompt.open(f)
	return o, nil
}

// Write implements io.Writer for one goroutine, for whole pcapng blocks. Of a write that fails, the blocks that are whole
// stay, and the bytes of no more than them are reported.
func (o *OneFile) Write(p []byte) (int, error) {
	if !o.begun {
		if o.regular {
			if err := o.Truncate(0); err != nil {
				return 0, err
			}
		}
		o.begun = true
	}
	n, err := o.prompt.prompt(p), error(nil)
	if n < len(p) {
		var rest int
		rest, err = o.File.Write(p[n:])
		n += rest
	}
	if err == nil || !o.regular {
		o.size += int64(n)
		return n, err
	}
	whole := savefile.Whole(p[:n])
	o.size += int64(whole)
	return whole, errors.Join(err, o.Truncate(o.size))
}

// look reports whether the file is where it was, with all that was written.
func (o *OneFile) look() error {
	now, err := os.Stat(o.Name())
	switch {
	case isGone(err):
		return errMoved
	case err != nil:
		return err
	case !os.SameFile(now, o.info):
		return errReplaced
	case now.Size() < o.size:
		return errTruncated
	}
	return nil
}

// again makes the file ready after a failure: that there is room, or, if it was taken away, a new one in its place. What
// somebody else has put there stays.
func (o *OneFile) again() error {
	if !o.regular {
		return nil
	}
	if err := o.look(); err == nil {
		return o.probe()
	}
	f, err := os.OpenFile(o.Name(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, fileMode)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case os.SameFile(info, o.info): // it was cut, and has no beginning any more
		err = f.Truncate(0)
	case !info.Mode().IsRegular() || info.Size() > 0:
		err = errOccupied
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	old := o.File
	o.File, o.info, o.size = f, info, 0
	o.prompt.open(f)
	_ = old.Close() // it is somebody else's by now
	return o.probe()
}

// probe reports whether there is room.
func (o *OneFile) probe() error {
	_, err := o.File.Write(make([]byte, probeSize))
	return errors.Join(err, o.Truncate(o.size))
}
