package udpstr

import "time"

// maxHeldBytes bounds the memory of the window. 64 datagrams of a 9,000-byte path fit.
const maxHeldBytes = 1 << 20

// window holds datagrams that came before an earlier one.
type window struct {
	size   int    // seqnos it spans from the next on, of which that one is not held; 0: no window
	slots  []slot // by seqno modulo their number, a power of two of at least size; made when first needed
	n      int    // slots in use
	memory int    // bytes of all buffers, in use or not
	oldest time.Time
}

// slot is one datagram held. Its buffer stays for the next one.
type slot struct {
	buf  []byte
	at   time.Time // of arrival
	used bool
}

func (w *window) slot(seq uint32) *slot { return &w.slots[int(seq)&(len(w.slots)-1)] }

// holds says whether the datagram seq, which is ahead of the next by less than size, is held.
func (w *window) holds(seq uint32) bool { return w.n > 0 && w.slot(seq).used }

// put holds a copy of b. It returns false if that would take more memory than the window may have.
func (w *window) put(b []byte, seq uint32, now time.Time) bool {
	if w.slots == nil {
		n := 1
		for n < w.size {
			n *= 2
		}
		w.slots = make([]slot, n)
	}
	s := w.slot(seq)
	if cap(s.buf) < len(b) && !w.grow(s, len(b)) {
		return false
	}
	s.buf = append(s.buf[:0], b...)
	s.at, s.used = now, true
	if w.n == 0 || now.Before(w.oldest) {
		w.oldest = now
	}
	w.n++
	return true
}

// grow gives s a buffer for n bytes, if need be at the cost of the buffers that are not in use.
func (w *window) grow(s *slot, n int) bool {
	n = (n + 511) &^ 511
	w.memory -= cap(s.buf)
	s.buf = nil
	if w.memory+n > maxHeldBytes {
		for i := range w.slots {
			if t := &w.slots[i]; !t.used {
				w.memory -= cap(t.buf)
				t.buf = nil
			}
		}
		if w.memory+n > maxHeldBytes {
			return false
		}
	}
	s.buf = make([]byte, 0, n)
	w.memory += cap(s.buf)
	return true
}

// take returns the datagram seq if it is held and gives up its slot. The bytes hold until the next put.
func (w *window) take(seq uint32) ([]byte, bool) {
	if !w.holds(seq) {
		return nil, false
	}
	s := w.slot(seq)
	s.used = false
	w.n--
	return s.buf, true
}

// refresh finds the oldest datagram again after some were taken.
func (w *window) refresh() {
	if w.n == 0 {
		return
	}
	first := true
	for i := range w.slots {
		if s := &w.slots[i]; s.used && (first || s.at.Before(w.oldest)) {
			w.oldest, first = s.at, false
		}
	}
}

// jump is a datagram whose seqno lies farther ahead than the window reaches. One such datagram may be a stray, and to believe
// it would make all that follows old. So it waits until another one stands by it, the stream comes to it, the sender's own
// count agrees with it, or the stream ends. Silence proves nothing: a slow stream may go on where it was.
type jump struct {
	waiting bool
	belied  bool // the stream has gone on where it was since the jump came
	seq     uint32
	at      time.Time // of arrival
	since   time.Time // when it was belied first
	buf     []byte
}

// history remembers which of the last historyLen seqnos before the next came, to tell a duplicate from a late datagram.
type history struct{ bits [historyLen / 64]uint64 }

const historyLen = 4096

func (h *history) set(seq uint32) { h.bits[seq/64%(historyLen/64)] |= 1 << (seq % 64) }

func (h *history) has(seq uint32) bool { return h.bits[seq/64%(historyLen/64)]>>(seq%64)&1 != 0 }

// forget marks n seqnos from seq on as not come.
func (h *history) forget(seq, n uint32) {
	if n >= historyLen {
		*h = history{}
		return
	}
	for ; n > 0; n-- {
		h.bits[seq/64%(historyLen/64)] &^= 1 << (seq % 64)
		seq++
	}
}
