package main

import (
	"os"
	"time"
)

// watchPause is how often a file is looked at, where no signal can ask for a reload.
const watchPause = time.Second

// fileState is what tells one content of a file from another, as far as one can see without reading it.
type fileState struct {
	size     int64
	modified time.Time
}

// stateOf is zero when there is no file: an editor may be about to replace it.
func stateOf(path string) fileState {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}
	}
	return fileState{size: info.Size(), modified: info.ModTime()}
}

// watchFile asks for a reload when a file has changed and was then left alone for a second: an editor may write it in pieces. It
// returns what ends that.
func watchFile(path string, reload chan<- os.Signal) (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	known := stateOf(path)
	go func() {
		defer close(ended)
		ticker := time.NewTicker(watchPause)
		defer ticker.Stop()
		for before := known; ; {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			now := stateOf(path)
			if now != known && now == before && now != (fileState{}) {
				known = now
				select {
				case reload <- nil:
				default: // one that was asked for before reads what is there now
				}
			}
			before = now
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
