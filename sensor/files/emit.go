package files

import (
	"errors"

	"rpcapd/savefile"
)

// Write is what the encoder writes to.
func (f *file) Write(p []byte) (int, error) {
	n, err := f.fd.Write(p)
	f.disk += int64(n)
	f.sink.inUse.Add(int64(n))
	f.sink.written.Add(uint64(n))
	f.unsynced = true
	return n, err
}

// emit writes whole blocks. Of a write that fails what is whole stays in the file.
func (f *file) emit(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if f.enc != nil {
		f.dirty = true
		_, err := f.enc.Write(b)
		return err
	}
	n, err := f.Write(b)
	if err == nil {
		return nil
	}
	whole := f.lose(b, n)
	if cutErr := f.fd.Truncate(f.disk - int64(n-whole)); cutErr != nil {
		return errors.Join(err, cutErr)
	}
	f.disk -= int64(n - whole)
	f.sink.inUse.Add(-int64(n - whole))
	return err
}

// lose counts the frames in b that do not end within its first n bytes, and returns where the last one that does ends.
// What compressed files lack is counted when they are finished.
func (f *file) lose(b []byte, n int) (whole int) {
	switch {
	case f.sink.opts.Compress != Uncompressed:
	case f.sink.opts.Format == savefile.Pcapng:
		whole = savefile.Whole(b[:n])
		f.loseBlocks(b[whole:])
		f.undeliver(b[whole:])
	default:
		header := 0
		if f.disk == int64(n) { // the first bytes of the file
			header = savefile.PcapHeaderSize
		}
		var lost tally
		whole, lost = wholeRecords(b, header, n)
		f.loseSome(lost)
	}
	return whole
}

// undeliver takes frames that could not be written out of the statistics at the end.
func (f *file) undeliver(b []byte) {
	for b := range savefile.Blocks(b) {
		if id := b.Interface(); b.IsPacket() && int(id) < len(f.order) {
			f.order[id].numbers.Delivered--
		}
	}
}
