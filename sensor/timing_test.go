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
