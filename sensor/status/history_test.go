package status

import (
	"fmt"
	"testing"
)

func TestHistoryIsBounded(t *testing.T) {
	h := NewHistory()
	for i := range maxHistory + 50 {
		h.Add(Peer{Name: fmt.Sprint(i), Sessions: 1, Received: Received{Frames: 1}})
	}
	l := h.List()
	if last := l[len(l)-1]; len(l) != maxHistory+1 || last.Name != othersName || last.Received.Frames != 50 || last.Sessions != 50 {
		t.Errorf("%d entries, the last %+v", len(l), last)
	}
}
