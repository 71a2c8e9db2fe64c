// Package filewatch tells of changes of a configuration file, where no signal does.
package filewatch

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// pause is how often a file is looked at.
const pause = time.Second

// dataLink is the link that Kubernetes puts in the place of the old one when a ConfigMap or Secret has changed. The files of a
// volume are links through it:
//
//	rpcapd.ini -> ..data/rpcapd.ini     ..data -> ..2026_11_28_17_50_00.123
const dataLink = "..data"

// Mounted says whether a file is in a volume that Kubernetes changes. There nobody sends a signal.
func Mounted(path string) bool {
	info, err := os.Lstat(filepath.Join(filepath.Dir(path), dataLink))
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// state is what tells one content of a file from another, as far as one can see without reading it.
type state struct {
	size     int64
	modified time.Time
	data     string // where the link of a volume leads; empty elsewhere
}

// stateOf is zero when there is no file: an editor may be about to replace it.
func stateOf(path string) state {
	info, err := os.Stat(path)
	if err != nil {
		return state{}
	}
	data, _ := os.Readlink(filepath.Join(filepath.Dir(path), dataLink)) // there is none as a rule
	return state{size: info.Size(), modified: info.ModTime(), data: data}
}

// Watch calls changed when a file has changed and was then left alone for a second: an editor may write it in pieces. It
// returns what ends that.
func Watch(path string, changed func()) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	known := stateOf(path)
	go func() {
		defer close(ended)
		ticker := time.NewTicker(pause)
		defer ticker.Stop()
		for before := known; ; {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			now := stateOf(path)
			if now != known && now == before && now != (state{}) {
				known = now
				changed()
			}
			before = now
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
