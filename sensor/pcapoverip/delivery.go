package pcapoverip

import (
	"context"
	"fmt"
	"time"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// application is what the section header names.
const application = "rpcap-sensor"

// After less than gatherSize bytes a stream rests for gatherTime, so that frames that follow each other share a write:
// otherwise each of them would wake every client, at the cost of the goroutine that receives frames.
const (
	gatherSize = 16 << 10
	gatherTime = time.Millisecond
)

// newDelivery joins the backlog: frames count from now on. leave must follow.
func (s *Sink) newDelivery(conn *pacedConn, selector *sink.Selector) *delivery {
	return &delivery{sink: s, conn: conn, selector: selector, begin: time.Now(), reader: s.backlog.join()}
}

// run writes until ctx ends, then what is left and the statistics; until gone is closed; or until an error.
func (d *delivery) run(ctx context.Context, gone <-chan struct{}) error {
	stopping := ctx.Done()
	for {
		t := d.sink.backlog.take(d.reader)
		if err := d.pass(t); err != nil {
			return err
		}
		if t.chunk != nil {
			if len(t.data) < gatherSize && stopping != nil {
				time.Sleep(gatherTime)
			}
			continue
		}
		if stopping == nil {
			return d.finish()
		}
		select {
		case <-d.reader.wake:
		case <-gone:
			return errGone
		case <-stopping:
			stopping = nil
		}
	}
}

// pass writes what was taken, and what must stand before it.
func (d *delivery) pass(t taken) error {
	classic := d.sink.opts.Format == savefile.Pcap
	d.buf = d.buf[:0]
	if !d.headed && !d.head(classic) {
		return nil // classic pcap before the first source: there are no frames
	}
	for _, e := range t.interfaces[d.known:] {
		d.meet(e, classic)
	}
	d.known = len(t.interfaces)
	if d.selector == nil && !classic {
		return d.passAll(t)
	}
	frames, bytes := d.choose(t, classic)
	d.sink.backlog.done(t) // the connection may be slow, and buf has all of it
	if len(d.buf) == 0 {
		return nil
	}
	if _, err := d.conn.Write(d.buf); err != nil {
		d.sent.failed.Add(frames)
		return err
	}
	d.sent.frames.Add(frames)
	d.sent.bytes.Add(bytes)
	return nil
}

// head puts the beginning of the stream into buf, if it is known.
func (d *delivery) head(classic bool) bool {
	if !classic {
		d.buf = savefile.AppendSectionHeader(d.buf, application)
	} else if lt, ok := d.sink.backlog.settled(); ok {
		d.buf = savefile.AppendPcapHeader(d.buf, lt)
	} else {
		return false
	}
	d.headed = true
	return true
}

// settled is the link type of a classic stream.
func (b *backlog) settled() (uint32, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return uint32(b.linkType), b.linkType >= 0
}

// meet numbers an interface, and puts its block into buf, if this stream wants it.
func (d *delivery) meet(e *ifaceEntry, classic bool) {
	if d.selector != nil && !d.selector.Source(e.source) {
		d.ids = append(d.ids, -1)
		return
	}
	d.ids = append(d.ids, int64(len(d.entries)))
	d.entries = append(d.entries, e)
	d.delivered = append(d.delivered, 0)
	if !classic {
		d.buf = append(d.buf, e.block...)
	}
}

// passAll writes the blocks as they are: with everything wanted this stream's numbers are the backlog'd.
func (d *delivery) passAll(t taken) error {
	defer d.sink.backlog.done(t)
	for _, b := range [][]byte{d.buf, t.data} {
		if len(b) == 0 {
			continue
		}
		if _, err := d.conn.Write(b); err != nil {
			d.sent.failed.Add(t.frames)
			return err
		}
	}
	var bytes uint64
	for block := range savefile.Blocks(t.data) {
		d.delivered[block.Interface()]++
		bytes += uint64(block.Caplen())
	}
	d.sent.frames.Add(t.frames)
	d.sent.bytes.Add(bytes)
	return nil
}

// choose copies the frames that are wanted to buf.
func (d *delivery) choose(t taken, classic bool) (frames, bytes uint64) {
	if need := len(d.buf) + len(t.data); cap(d.buf) < need {
		d.buf = append(make([]byte, 0, need), d.buf...)
	}
	for block := range savefile.Blocks(t.data) {
		id := d.ids[block.Interface()]
		if id < 0 {
			continue
		}
		p := block.Packet()
		if d.selector != nil && !d.selector.Frame(d.entries[id].source.LinkType, &p) {
			continue
		}
		if classic {
			d.buf = savefile.AppendPcapRecord(d.buf, &p)
		} else {
			at := len(d.buf)
			d.buf = append(d.buf, block...)
			savefile.Block(d.buf[at:]).SetInterface(uint32(id))
		}
		d.delivered[id]++
		frames++
		bytes += uint64(len(p.Data))
	}
	d.sent.leftOut.Add(t.frames - frames)
	return frames, bytes
}

// finish writes the statistics. The agent's numbers are in it only where they cover the same time as the stream.
func (d *delivery) finish() error {
	if d.sink.opts.Format == savefile.Pcap {
		return nil
	}
	now := time.Now()
	b := &d.sink.backlog
	d.buf = d.buf[:0]
	b.mu.Lock()
	for id, e := range d.entries {
		st := savefile.Statistics{Start: e.start, End: now, Delivered: d.delivered[id]}
		if e.start.Before(d.begin) {
			st.Start = d.begin
		} else if f := e.forwarded; f.Known {
			st.Known, st.Received, st.InterfaceDropped, st.KernelDropped = true, f.Received, f.InterfaceDropped, f.KernelDropped
		}
		d.buf = savefile.AppendStatistics(d.buf, uint32(id), st)
	}
	b.mu.Unlock()
	if len(d.buf) == 0 {
		return nil
	}
	if _, err := d.conn.Write(d.buf); err != nil {
		return fmt.Errorf("write statistics: %w", err)
	}
	return nil
}
