package files

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"rpcapd/savefile"
)

// recoverAll completes the files that an earlier run has left. It works beside the sink.
func (f *finisher) recoverAll(ctx context.Context, old []finished) {
	for _, o := range old {
		if ctx.Err() != nil {
			return // they are still in the list
		}
		frames, err := f.recover(ctx, o)
		log := f.opts.Log.With(zap.String("output", f.opts.Name), zap.String("file", filepath.Join(f.dir, o.name)))
		switch {
		case err != nil && ctx.Err() == nil:
			log.Warn("cannot complete a file of an earlier run, its .part stays; the next start tries again", zap.Error(err))
		case err == nil && frames > 0:
			f.recovered.Add(1)
			log.Info("file of an earlier run completed", zap.Uint64("frames", frames))
		}
	}
	f.look()
}

// recover cuts a file at the end of what is whole and gives it its name.
func (f *finisher) recover(ctx context.Context, o finished) (frames uint64, err error) {
	root, l := f.place.root, f.place.ledger
	part := o.name + partSuffix
	fd, err := root.OpenFile(part, os.O_RDWR, 0)
	if isGone(err) {
		// Renamed, and then the list could not be written; or deleted by somebody.
		if info, err := root.Lstat(o.name); err == nil && info.Mode().IsRegular() {
			o.size = info.Size()
			l.complete(o.name, o)
		} else {
			l.forget(o.name)
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer fd.Close() // closed before where it was written to
	// The names say how it was made; the options may be others by now.
	compression, format := compressionOf(o.name), savefile.Pcapng
	source := func() (r *bufio.Reader, end func(), err error) {
		if _, err := fd.Seek(0, io.SeekStart); err != nil {
			return nil, nil, err
		}
		plain, end, err := decoder(compression, readerUntil{ctx, bufio.NewReaderSize(fd, 1<<16)})
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReaderSize(plain, 1<<18), end, nil
	}
	r, end, err := source()
	if err != nil { // not even a header
		l.forget(o.name)
		return 0, errors.Join(root.Remove(part))
	}
	if magic, err := r.Peek(4); err == nil && string(magic) == string(savefile.AppendPcapHeader(nil, 0)[:4]) {
		format = savefile.Pcap
	}
	n, found, ended, err := copyWhole(io.Discard, r, format)
	end()
	if err = errors.Join(err, ctx.Err()); err != nil {
		return 0, err
	}
	if found.frames == 0 {
		l.forget(o.name)
		return 0, root.Remove(part)
	}
	rewritten := false
	switch {
	case ended:
	case compression == Uncompressed:
		err = fd.Truncate(n)
	default:
		if r, end, err = source(); err == nil {
			err = f.rewrite(part+freshSuffix, r, format, compression)
			end()
			rewritten = err == nil
		}
	}
	if err == nil && f.opts.SyncAtClose && !rewritten {
		err = fd.Sync()
	}
	err = errors.Join(err, fd.Close()) // on Windows, nobody can replace what is open
	if err == nil && rewritten {
		if err = root.Rename(part+freshSuffix, part); err != nil {
			err = errors.Join(err, root.Remove(part+freshSuffix))
		}
	}
	if err != nil {
		return 0, err
	}
	name, err := f.rename(part, o.name)
	if err != nil {
		return 0, err
	}
	info, err := root.Lstat(name)
	if err != nil {
		return 0, err
	}
	l.complete(o.name, finished{name: name, series: o.series, size: info.Size()})
	return found.frames, nil
}

// freshSuffix is for a file that is to replace another.
const freshSuffix = ".new"

// rewrite makes a compressed file of what can be read of another.
func (f *finisher) rewrite(fresh string, r *bufio.Reader, format savefile.Format, kind Compression) (err error) {
	root := f.place.root
	fd, err := root.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, root.Remove(fresh))
		}
	}()
	enc, err := (&encoders{kind: kind}).get(fd)
	if err == nil {
		_, _, _, err = copyWhole(enc, r, format)
		err = errors.Join(err, enc.Close())
	}
	if err == nil && f.opts.SyncAtClose {
		err = fd.Sync()
	}
	return errors.Join(err, fd.Close())
}
