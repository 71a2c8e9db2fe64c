package main

import (
	"fmt"
	"regexp"
	"strconv"
)

// sensorBooks is what rpcap-sensor prints at its end, summed over all agents; frames.
type sensorBooks struct {
	Peers       int
	RingDropped uint64 // as the agents say
	Forwarded   uint64 // likewise: packed
	Received    uint64
	Missing     uint64 // on the path
	Written     uint64
	SinkDropped uint64 // for want of a faster consumer
}

var peerPattern = regexp.MustCompile(`forwarded: ifrecv \d+, krnldrop (\d+), ifdrop \d+, captured (\d+)\n` +
	` +received: .*frames (\d+), .*missing (?:≥ )?(\d+) frames.*\n` +
	` +output: +written (\d+), dropped (\d+)`)

// readBooks finds the summary in what rpcap-sensor has printed.
func readBooks(text []byte) (b sensorBooks, err error) {
	for _, m := range peerPattern.FindAllSubmatch(text, -1) {
		b.Peers++
		for i, v := range []*uint64{&b.RingDropped, &b.Forwarded, &b.Received, &b.Missing, &b.Written, &b.SinkDropped} {
			n, err := strconv.ParseUint(string(m[i+1]), 10, 64)
			if err != nil {
				return b, fmt.Errorf("read summary of rpcap-sensor: %w", err)
			}
			*v += n
		}
	}
	if b.Peers == 0 {
		return b, fmt.Errorf("rpcap-sensor printed no summary that is understood: %.1000s", text)
	}
	return b, nil
}

// check says which of the numbers do not add up.
func (b *sensorBooks) check() (wrong []string) {
	if b.Forwarded != b.Received+b.Missing {
		wrong = append(wrong, fmt.Sprintf("agents forwarded %d frames, rpcap-sensor knows of %d received + %d missing", b.Forwarded, b.Received, b.Missing))
	}
	if b.Received != b.Written+b.SinkDropped {
		wrong = append(wrong, fmt.Sprintf("rpcap-sensor received %d frames, not %d written + %d dropped", b.Received, b.Written, b.SinkDropped))
	}
	return wrong
}
