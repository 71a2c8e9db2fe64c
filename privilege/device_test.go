package privilege

import (
	"io/fs"
	"testing"
)

func TestReadable(t *testing.T) {
	for _, c := range []struct {
		mode fs.FileMode
		uid  int
		gids []int
		want bool
	}{
		{0o600, 500, []int{500}, false},
		{0o640, 500, []int{500, 77}, true},
		{0o640, 500, []int{500}, false},
		{0o604, 500, []int{500}, true},
		{0o604, 500, []int{77}, false}, // the group's rights count
		{0o060, 5, []int{77}, false},   // the owner's do
		{0o400, 5, nil, true},
	} {
		if got := (owned{mode: c.mode, uid: 5, gid: 77}).readable(c.uid, c.gids); got != c.want {
			t.Errorf("mode %o, uid %d, groups %v: %v", c.mode, c.uid, c.gids, got)
		}
	}
}
