package numbers

import (
	"math"
	"testing"
)

func TestNumbers(t *testing.T) {
	for want, got := range map[string]string{
		"0": Commas(0), "999": Commas(999), "1,000": Commas(1000), "123,456": Commas(123456), "1,234,567": Commas(1234567),
		"18,446,744,073,709,551,615": Commas(math.MaxUint64),
		"0 frames":                   Count(0, "frame"), "1 frame": Count(1, "frame"), "1,234 frames": Count(1234, "frame"),
		"0.4": Rate(0.44), "9.9": Rate(9.9), "10": Rate(10.4), "1,235": Rate(1234.6),
		"0 B": Unit(0, "B"), "999 B": Unit(999, "B"), "1.5 kB": Unit(1500, "B"), "120 MB": Unit(120e6, "B"),
		"12.3 Gbit/s": Unit(12.34e9, "bit/s"), "5000000 PB": Unit(5e21, "B"),
	} {
		if got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
	if got := Rate(0) + Rate(-1); got != "00" {
		t.Errorf("no rate: %q", got)
	}
}
