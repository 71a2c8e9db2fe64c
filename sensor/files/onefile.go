package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// fileMode is the mode of new files, less the umask: what agents see is not for everybody.
const fileMode fs.FileMode = 0o640

// OneFile is a file, or a named pipe or device, that a Stream writes to.
type OneFile struct {
	*os.File
	regular bool
	begun   bool
}

// OpenOneFile opens or makes a file. It is emptied by the first write, so that a sensor that cannot start leaves an old
// one as it was.
func OpenOneFile(name string) (*OneFile, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, fileMode)
	if err != nil {
		return nil, fmt.Errorf("open output: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open output: %w", err), f.Close())
	}
	return &OneFile{File: f, regular: info.Mode().IsRegular()}, nil
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
	n, err := o.File.Write(p)
	if err == nil || !o.regular {
		return n, err
	}
	whole := wholeBlocks(p[:n])
	if _, seekErr := o.Seek(int64(whole-n), 1); seekErr != nil {
		return n, errors.Join(err, seekErr)
	}
	if at, seekErr := o.Seek(0, 1); seekErr == nil {
		return whole, errors.Join(err, o.Truncate(at))
	}
	return whole, err
}

// probe reports whether there is room again.
func (o *OneFile) probe() error {
	if !o.regular {
		return nil
	}
	at, err := o.Seek(0, 1)
	if err != nil {
		return err
	}
	_, err = o.WriteAt(make([]byte, probeSize), at)
	return errors.Join(err, o.Truncate(at))
}
