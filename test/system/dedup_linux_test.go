package system

import (
	"regexp"
	"strconv"
	"testing"

	"rpcapd/test/refsensor"
)

var duplicatesPattern = regexp.MustCompile(`duplicates of another agent (\d+)`)

// TestRootDedup has two agents see the same numbered frames: with Dedup each is in the file once, without it twice. What
// was dropped as a duplicate is counted.
func TestRootDedup(t *testing.T) {
	const size = 300
	frames, rate := steadyLoad(t)
	frames /= 3
	for _, x := range []struct {
		name, streams string
		copies        int
	}{{"off", "", 2}, {"on", "[streams]\nDedup = 500ms\n", 1}} {
		t.Run(x.name, func(t *testing.T) {
			lab := newDirect(t, "-f", ruleFile(t, "[rule all]\n"+x.streams))
			second := startAgent(t, lab.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
			second.capturing(1)
			lab.send(t, size, rate, frames)
			delivered := uint64(0)
			peers := lab.sensor.end()
			for _, p := range peers {
				delivered += p.frames
				if p.missing != 0 || p.frames < frames {
					t.Errorf("%+v", p)
				}
			}
			if len(peers) != 2 {
				t.Fatalf("%d peers", len(peers))
			}
			dropped := uint64(0)
			for _, m := range duplicatesPattern.FindAllStringSubmatch(lab.sensor.Text(), -1) {
				n, err := strconv.ParseUint(m[1], 10, 64)
				must(t, err)
				dropped += n
			}
			seen, all := make([]int, frames), readFrames(t, lab.sensor.file)
			for _, f := range all {
				if f.wire == size {
					number, err := refsensor.Check(f.data, size)
					must(t, err)
					seen[number]++
				}
			}
			for number, n := range seen {
				if n != x.copies {
					t.Fatalf("frame %d is there %d times, want %d", number, n, x.copies)
				}
			}
			if delivered != dropped+uint64(len(all)) || (dropped > 0) != (x.copies == 1) {
				t.Errorf("%d delivered, %d dropped as duplicates, %d in the file", delivered, dropped, len(all))
			}
		})
	}
}
