package files

import (
	"errors"
	"os"
)

// probeSize is what has to fit on a disk that was full before frames are taken again.
const probeSize = 256 << 10

const probeName = ".rpcap-sensor.probe"

// place is the open directory.
type place struct {
	dir    string
	root   *os.Root
	info   os.FileInfo // what dir was when it was opened
	ledger *ledger
}

func (p *place) close() error { return errors.Join(p.ledger.close(), p.root.Close()) }

// look reports whether the directory is where it was.
func (p *place) look() error {
	now, err := os.Stat(p.dir)
	switch {
	case isGone(err):
		err = errMoved
	case err == nil && !os.SameFile(now, p.info):
		err = errReplaced
	}
	if err != nil {
		return failure("write into", p.dir, err)
	}
	return nil
}

// probe writes and removes a file, to see whether there is room again.
func probe(root *os.Root) error {
	f, err := root.OpenFile(probeName, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Close(), root.Remove(probeName))
}
