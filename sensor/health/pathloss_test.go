package health

import (
	"strings"
	"testing"
	"time"
)

// TestPathLossWhileNothingComes: the table of peers shows, and sorts by, what a dead path swallows, before the session ends;
// not what may be on its way or held back.
func TestPathLossWhileNothingComes(t *testing.T) {
	start := time.Now().Add(-time.Minute)
	f := newFake()
	for name, overdue := range map[string]bool{"dead": true, "healthy": false} {
		p := running(name, 5000, start)
		p.Unaccounted, p.Received.Missing = 1234, 0
		if overdue {
			p.UnaccountedSince = start
		}
		f.peers = append(f.peers, p)
	}
	s := serveFake(t, f, nil)
	for order, first := range map[string]string{"desc": "dead", "asc": "healthy"} {
		_, body, _ := get(t, s.URL()+"?sort=missing&order="+order, nil)
		rows := strings.Split(body, `<tr role="row">`)
		if len(rows) < 3 {
			t.Fatalf("no rows:\n%s", body)
		}
		rows = rows[len(rows)-2:]
		if !strings.Contains(rows[0], ">"+first+"/") {
			t.Errorf("%s does not come first in order %s", first, order)
		}
		for _, row := range rows {
			if shown := strings.Contains(row, "loss\">1,234<"); shown != strings.Contains(row, ">dead/") {
				t.Errorf("1,234 lost on the path: shown %v in\n%s", shown, row)
			}
		}
	}
}
