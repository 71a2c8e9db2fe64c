package hostile

import (
	"slices"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// slopeLimit is how much a program may grow over so many repetitions of something that
// must leave nothing behind.
const (
	slopeLimit = 1 << 20 // bytes
	slopeOver  = 1000
)

// repetitions is how many there are, and batch how many between two looks at the program.
var (
	repetitions = map[bool]int{false: 300, true: slopeOver}[netlab.Full()]
	batch       = repetitions / 20
)

// tries is how often a slope may be too steep by chance. What leaks does so each time.
const tries = 5

// staysFlat does something again and again, after some hundred times to warm up: rounds
// of it, each of which does it repeatedly.
func (p *program) staysFlat(t *testing.T, each int, round func()) {
	t.Helper()
	rounds := max(repetitions/each, 20) // fewer looks show no slope
	for range max(rounds/2, 250/each) {
		round()
	}
	before := p.Footprint()
	slope, resident := int64(slopeLimit), []int64(nil)
	for try := 0; try < tries && slope >= slopeLimit && (try == 0 || !harness.Race); try++ {
		resident = []int64{p.Footprint().Resident}
		for range rounds {
			round()
			resident = append(resident, p.Footprint().Resident)
		}
		slope = slopeOf(resident) * slopeOver / int64(each)
	}
	var after harness.Footprint
	for range 4000 { // 40 s on a busy machine
		if after = p.Footprint(); after.Files <= before.Files && after.Threads <= before.Threads {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d times: resident %d KiB → %d KiB, %+d KiB per 1,000; descriptors %d → %d, threads %d → %d", rounds*each,
		before.Resident>>10, after.Resident>>10, slope>>10, before.Files, after.Files, before.Threads, after.Threads)
	if slope >= slopeLimit && !harness.Race {
		t.Errorf("resident memory grows by %d bytes in 1,000 repetitions: %d", slope, resident)
	}
	// The runtime may need a few threads more, whatever is repeated.
	if after.Files > before.Files || after.Threads > before.Threads+8 {
		t.Errorf("something is left over: before %+v, after %+v", before, after)
	}
}

// slopeOf is the growth from one sample to the next. The resident memory of a program
// with a garbage collector goes up and down by what it allocates between two
// collections, so that it is that of a line through all samples: the median of the
// slopes between any two (Theil and Sen).
func slopeOf(samples []int64) int64 {
	var slopes []int64
	for i := range samples {
		for k := range i {
			slopes = append(slopes, (samples[i]-samples[k])/int64(i-k))
		}
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2]
}
