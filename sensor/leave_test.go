package sensor

import (
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
)

// TestEndedCapturesLeave: the hub knows the captures that run, and no other: not those whose session or rule has ended, nor
// those that an agent has refused. What stays known is kept in memory, and gets feeds of each sink that comes later.
func TestEndedCapturesLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		known := func(want int, when string) {
			t.Helper()
			if n := len(b.hub.Between(func() {})); n != want {
				t.Errorf("the hub knows %d captures, want %d: %s", n, want, when)
			}
		}
		first := b.connect("10.0.0.2", nil)
		b.connect("10.0.0.3", nil)
		known(2, "two agents")
		b.connect("10.0.0.4", func(a *testAgent) {
			a.on(rpcap.TypeStartCaptureRequest, func([]byte) [][]byte {
				return [][]byte{errorReply(rpcap.CodeStartCapture, "no such device")}
			})
		})
		after(lingerTime + time.Second)
		known(2, "a third one that refuses STARTCAP")
		first.conn.Close()
		after(endTimeout + lingerTime + time.Second)
		known(1, "the first one's session has ended")
		if err := b.Reload(t.Context(), []Rule{{Name: "all", Interfaces: []string{"none*"}}}, nil); err != nil {
			t.Fatal(err)
		}
		after(endTimeout + lingerTime + time.Second)
		known(0, "no rule captures any more")
	})
}
