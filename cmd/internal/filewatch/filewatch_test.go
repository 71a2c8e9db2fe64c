package filewatch

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatch: a change asks for one reload, once the file is left alone; a file that is gone asks for none.
func TestWatch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rpcapd.ini")
	stamp := time.Now().Add(-time.Hour)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		stamp = stamp.Add(time.Second)
		if err := os.Chtimes(file, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	synctest.Test(t, func(t *testing.T) {
		reload := make(chan struct{}, 1)
		end := Watch(file, func() {
			select {
			case reload <- struct{}{}:
			default:
			}
		})
		defer end()
		expect := func(when string, want int) {
			t.Helper()
			synctest.Wait()
			if len(reload) != want {
				t.Errorf("%s: %d reloads, want %d", when, len(reload), want)
			}
			if len(reload) > 0 {
				<-reload
			}
		}
		time.Sleep(10*pause + pause/2)
		expect("unchanged", 0)
		for range 3 {
			write("other") // of the same length
			time.Sleep(pause)
			expect("being written", 0)
		}
		time.Sleep(pause)
		expect("written", 1)
		time.Sleep(10 * pause)
		expect("once", 0)

		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * pause)
		expect("gone", 0)
		write("again there")
		time.Sleep(3 * pause)
		expect("replaced", 1)
	})
}
