package udpstr

// legacyRules makes a packer close datagrams where the C agent does, so that a test can compare with its recordings. The
// packer itself needs neither rule: both only make datagrams shorter.
type legacyRules struct {
	perFrame int // entries of the C agent's I/O vector that a frame takes: 2, in its two-thread mode 1
	limit    int // entries from which on no further frame is added: 30, in two-thread mode 32
	entries  int // entries taken in the open datagram; the datagram header is one, the rest of a split frame another
}

// legacyRoom is how many bytes must be left for the C agent to go on with a datagram: one more than both headers.
const legacyRoom = HeaderLen + PacketHeaderLen + 1

func newLegacyRules(threaded bool) *legacyRules {
	if threaded {
		return &legacyRules{perFrame: 1, limit: 32, entries: 1}
	}
	return &legacyRules{perFrame: 2, limit: 30, entries: 1}
}

// mustClose says whether a datagram with room bytes left takes no further frame.
func (l *legacyRules) mustClose(room int) bool { return room < legacyRoom || l.entries >= l.limit }

// began counts n frames whose headers were put into the open datagram.
func (l *legacyRules) began(n int) { l.entries += n * l.perFrame }

// closed begins the next datagram; continued says that the rest of a split frame comes first in it.
func (l *legacyRules) closed(continued bool) {
	l.entries = 1
	if continued {
		l.entries = 2
	}
}
