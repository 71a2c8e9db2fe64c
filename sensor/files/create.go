package files

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"rpcapd/savefile"
)

// create begins a file.
func (w *writer) create(g *group, linkType uint32, now time.Time) (*file, error) {
	f := &file{group: g, sink: w.Sink, begun: now, index: make(map[interfaceKey]*fileInterface)}
	if w.opts.RotateTime > 0 {
		f.until = boundary(now, w.opts.RotateTime)
		f.lasts = f.until.Sub(now.Round(0))
	}
	base := expand(w.rest, now, g.source)
	if suffix := w.opts.Compress.suffix(); filepath.Ext(base) != suffix {
		base += suffix
	}
	if base != g.base {
		g.base, g.number = base, 0
	}
	if err := w.makeRoom(); err != nil {
		return nil, w.failed(f, err)
	}
	for f.fd == nil {
		g.number++
		f.name = numbered(base, g.number)
		if err := w.open(f); err != nil {
			return nil, w.failed(f, err)
		}
	}
	if err := w.place.ledger.begin(f.name, g.series); err != nil {
		return nil, errors.Join(w.failed(f, err), f.fd.Close(), w.place.root.Remove(f.part()))
	}
	if err := w.attach(f); err != nil {
		return nil, w.failed(f, err)
	}
	g.file = f
	w.files[f] = struct{}{}
	w.openFiles.Add(1)
	var b []byte
	if w.opts.Format == savefile.Pcap {
		b = savefile.AppendPcapHeader(nil, linkType)
		f.buf, f.dirty = append(f.buf, b...), true
		w.mark(f)
	} else {
		b = savefile.AppendSectionHeader(nil, application)
		if err := w.put(f, b); err != nil {
			return nil, err
		}
	}
	f.size += int64(len(b))
	return f, nil
}

// open makes NAME.part if there is neither that nor NAME. fd stays nil if the name is taken.
func (w *writer) open(f *file) error {
	root := w.place.root
	if _, err := root.Lstat(f.name); !isGone(err) {
		return err // nil: taken
	}
	if dir := filepath.Dir(f.name); dir != "." {
		if err := root.MkdirAll(dir, dirMode); err != nil {
			return err
		}
	}
	fd, err := root.OpenFile(f.part(), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, fileMode)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f.fd = fd
	f.info, err = fd.Stat()
	return err
}
