package system

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rpcapd/test/refsensor"
)

// TestRootReloadOutputsUnderTraffic changes, adds and removes outputs again and again while numbered frames come in. The
// outputs that are not touched have each frame; of one that moves from directory to directory each frame is in one of them.
func TestRootReloadOutputsUnderTraffic(t *testing.T) {
	const size, reloads = 300, 8
	_, rate := steadyLoad(t)
	dir := t.TempDir()
	rules := func(i int) string {
		text := fmt.Sprintf("[rule lab]\nInterface = eth0\n[file keep]\nPath = %s/keep/%%s.pcapng\n[file moves]\nPath = %s/moves%d/%%s.pcapng\n", dir, dir, i)
		if i%2 == 1 {
			text += fmt.Sprintf("[file comes and goes]\nPath = %s/other/%%s.pcapng\n[pcap-over-ip]\nListen = %d\n[http]\nListen = %d\n", dir, 4000+i, 5000+i)
		}
		return text
	}
	x, file := ruleReload(t, rules(0))
	var sending sync.WaitGroup
	var reloaded atomic.Bool
	frames := uint64(0)
	sending.Go(func() {
		for ; !reloaded.Load(); frames += uint64(rate / 10) {
			if _, err := generateFrom(x.client, "eth0", [6]byte(x.host.MAC("eth0")), size, rate, frames, frames+uint64(rate/10)); err != nil {
				t.Error(err)
			}
		}
	})
	defer sending.Wait()
	defer reloaded.Store(true)
	for i := range reloads {
		x.sensor.reload(t, file, rules(i+1), rulesReloaded)
		x.sensor.Await("frames after the reload", func() bool {
			names, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf("moves%d", i+1), "*"))
			return err == nil && len(names) > 0
		})
		time.Sleep(200 * time.Millisecond)
	}
	reloaded.Store(true)
	sending.Wait()
	n := settle(t, x.agent, x.sensor)
	if got := n.numbered(t, size); got != int(frames) || n.sensor.missing != 0 || n.sensor.dropped != 0 {
		t.Errorf("-w: %d of %d frames, %+v", got, frames, n.sensor)
	}
	for pattern, files := range map[string]int{"keep": 1, "moves*": reloads} {
		seen := make(map[uint64]int)
		names, err := filepath.Glob(filepath.Join(dir, pattern, "*.pcapng"))
		if err != nil || len(names) < files {
			t.Errorf("%s: %q, %v", pattern, names, err)
		}
		for _, name := range names {
			for _, f := range readFrames(t, name) {
				if f.wire != size {
					continue
				}
				number, err := refsensor.Check(f.data, size)
				must(t, err)
				seen[number]++
				if seen[number] > 1 {
					t.Fatalf("%s: frame %d again", name, number)
				}
			}
		}
		if len(seen) != int(frames) {
			t.Errorf("%s: %d of %d frames", pattern, len(seen), frames)
		}
	}
}
