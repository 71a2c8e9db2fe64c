package sensor

import "time"

// How long package receive waits; a test that waits for it waits as long.
const (
	lingerTime      = time.Second // for datagrams after the end of a capture
	contestInterval = time.Second // between STATS while it is open which sender is the agent
	maxWait         = time.Second // for a second datagram of a candidate
	farSilence      = time.Second // of the active path, before a candidate far ahead takes its place
)

// vlanSlack is what may be added to the snap length: two VLAN tags put back.
const vlanSlack = 8

// Who sends: the agent, and another process at its address.
const (
	trueSource  = "10.0.0.2:5000"
	falseSource = "10.0.0.2:666"
)

// And package control.
const (
	replyTimeout  = 15 * time.Second // for an answer during the handshake
	statsInterval = 5 * time.Second
	statsTimeout  = 10 * time.Second
	probeTimeout  = 3 * time.Second  // for an older session, when a new one comes
	provenAlive   = time.Second      // after an answer to STATS
	retryInterval = 60 * time.Second // before the agent is asked again
	minSession    = 5 * time.Second  // before the sensor closes a connection
	brokenHold    = 30 * time.Second // when the agent is out of step
	endTimeout    = 2 * time.Second  // for STATS and ENDCAP together
	silence       = 20 * time.Second // for an answer that has not come in time
	heldFor       = 30 * time.Second // for a connection that nobody wants
	finishMessage = 30 * time.Second // from the first byte of a message to its last

	shortMessage = 64 << 10 // in bytes; a longer one is taken only when it is asked for
	maxStrays    = 32       // messages that answer nothing
	unwanted     = "no rule of this port allows its address any more"
)
