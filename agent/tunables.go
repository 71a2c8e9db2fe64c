package agent

import "time"

const (
	// dialTimeout bounds one attempt to connect to one address of a sensor. A SYN
	// that nobody answers would otherwise hold the session for two minutes.
	dialTimeout = 10 * time.Second
	// attemptDelay is how long an attempt has to itself before the next address is tried
	// beside it: RFC 8305, section 5.
	attemptDelay = 250 * time.Millisecond
	// silentRest is how long the other addresses are waited for after one has failed: two
	// SYNs. A sensor that starts anew refuses for a moment.
	silentRest = 2 * time.Second
	// resolveTimeout bounds the name lookup before each attempt.
	resolveTimeout = 10 * time.Second

	// backoffFirst and backoffMax bound the pause before a session dials again. It
	// doubles with each failure; peers of the old kind redial at once, 10,000 times a
	// second against a sensor that closes (docs/RPCAP.md).
	backoffFirst = 1 * time.Second
	backoffMax   = 30 * time.Second
	// stableAfter is how long a session must last to reset its back-off.
	stableAfter = 60 * time.Second
	// closedPause is the pause after a CLOSE by the sensor with OnClose = reconnect.
	closedPause = 30 * time.Second

	// heldIdle is after how long without a request a sensor counts as holding a session
	// that has no capture, and upPause how often at most such a session is dialed anew
	// because an interface has come up.
	heldIdle = 500 * time.Millisecond
	upPause  = 3 * time.Second

	// keepAliveIdle, keepAliveInterval and keepAliveCount find a sensor that vanished
	// without a FIN within about 20 s; userTimeout does so while replies are unacknowledged.
	keepAliveIdle     = 10 * time.Second
	keepAliveInterval = 3 * time.Second
	keepAliveCount    = 3
	userTimeout       = 20 * time.Second

	// messageTimeout is how long a message may take once its first byte is here.
	// There is no limit before it: a sensor may think for as long as it likes.
	messageTimeout = 30 * time.Second
	// instructionTimeout is how long the instruction may take that libpcap's client
	// sends behind a filter (rpcap.EndsBeforeInstruction). It comes with the message.
	instructionTimeout = 2 * time.Second
	// writeTimeout bounds the answer to a peer that does not read.
	writeTimeout = 30 * time.Second
	// fileEndTimeout is what the sensor has, after a capture file has been sent, to ask for the last numbers and to
	// take what is on the way.
	fileEndTimeout = 2 * time.Second
	// partingTime is how long requests are answered after the sensor was told that the
	// session ends, and partingLimit bounds the whole end of it: the capture is drained
	// before, and the sensor may be in the middle of a message.
	partingTime  = 2 * time.Second
	partingLimit = drainTimeout + partingTime + 500*time.Millisecond
	// authPause precedes the answer to a refused authentication: it makes guessing slow.
	authPause = 1 * time.Second

	// dataDialTimeout bounds the TCP handshake of a data connection.
	dataDialTimeout = 10 * time.Second
	// dataWriteTimeout ends a capture whose TCP reader has stopped reading.
	dataWriteTimeout = 30 * time.Second
	// dataWriteStep is how long a write waits before the forwarder shows that it is alive: well below the
	// interval of a watchdog (30 s), of which a forwarder has a third.
	dataWriteStep = 3 * time.Second
	// growAfter is how often a path that took less than wanted is asked whether it takes more again. The kernel
	// believes a router for ten minutes (net.ipv4.route.mtu_expires).
	growAfter = time.Minute
	// drainTimeout bounds the wait for the last frames of a capture that ends.
	drainTimeout = 1 * time.Second

	// ringRetire is after how long the kernel hands over a ring block that is not full,
	// and so, nearly, the longest that a frame waits: what is packed leaves when no further
	// block is ready. Kernels before 6.18 count it in jiffies, up to 24 ms. Rarer is
	// cheaper: a wake-up costs as much as 500 small frames. Holding a rest back for the
	// next block was tried: the timer that it needs costs more than the fuller runs gain.
	ringRetire = 18 * time.Millisecond

	// idleWait is how long the forwarder sleeps for frames of a source that cannot be woken, or
	// while MaxCPU is in force.
	idleWait = time.Second
	// sendWait is the longest pause for a full send buffer before a run is dropped.
	sendWait = 2 * time.Millisecond

	// statusPause is the least time between two writings of the status files for changes, but
	// for a reload: a session that connects passes several states at once.
	statusPause = time.Second
	// statusRefresh is how often the files are written for the numbers alone, and statusIdle how
	// often while nothing is captured. A file that is older than 30 s counts as abandoned, which
	// leaves room for a metrics scrape each 15 s.
	statusRefresh = 5 * time.Second
	statusIdle    = 10 * time.Second

	// runBuffer holds one run of datagrams: the largest UDP_SEGMENT send (65,507
	// bytes of UDP payload) and then some.
	runBuffer = 64 << 10

	// autoLimitIPv4 and autoLimitIPv6 are the datagrams that pass a 1,500-byte path
	// unfragmented: what sensors expect, whatever the first hop would take.
	autoLimitIPv4 = 1472
	autoLimitIPv6 = 1452
)
