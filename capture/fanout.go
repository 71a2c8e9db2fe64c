package capture

// Fanout is one group of sources that share the frames of an interface: the
// kernel gives each frame to one member, chosen by a hash over the flow that is
// the same in both directions (PACKET_FANOUT_HASH). When a member closes, the
// others take over its share. While one joins, for the microseconds until it has its
// filter, its share is refused: better than frames that two members have. The zero value is a group without members. Later
// fragments of a datagram carry no ports and may go to another member than the
// first.
type Fanout struct{ fanoutGroups }
