package journal

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"
)

// listen is a journal that a test reads.
func listen(t *testing.T) (path string, next func() string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return path, func() string {
		t.Helper()
		b := make([]byte, 1<<20)
		_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestEntries(t *testing.T) {
	path, next := listen(t)
	log := zap.New(open(path, os.Stderr, "rpcap-x", zapcore.InfoLevel))
	if got := next(); got != "" {
		t.Errorf("the first datagram is %q", got)
	}
	log.Debug("left out")
	log.Named("agent").With(zap.Int("line", 3)).Warn("waiting", zap.String("for", "eth9"), zap.Duration("since", 3*time.Second))
	want := "MESSAGE=agent\twaiting\t{\"line\": 3, \"for\": \"eth9\", \"since\": \"3s\"}\nPRIORITY=4\nSYSLOG_IDENTIFIER=rpcap-x\n" +
		"RPCAP_X_LOGGER=agent\nRPCAP_X_FOR=eth9\nRPCAP_X_LINE=3\nRPCAP_X_SINCE=3s\n"
	if got := next(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	log.Error("broken", zap.Error(errors.New("two\nlines")), zap.ByteString("odd-key", []byte("x")))
	got := next()
	if !strings.Contains(got, "PRIORITY=3\n") || !strings.Contains(got, "RPCAP_X_ERROR\n\x09\x00\x00\x00\x00\x00\x00\x00two\nlines\n") || !strings.Contains(got, "RPCAP_X_ODD_KEY=") {
		t.Errorf("got %q", got)
	}
	log.Info(strings.Repeat("x", 1<<20))
	if got := next(); len(got) < maxEntry || len(got) > maxEntry+1000 {
		t.Errorf("a long message makes %d bytes", len(got))
	}
}

// TestWithoutJournal: what the journal does not take goes to standard error, with the
// priority in front as systemd reads it there.
func TestWithoutJournal(t *testing.T) {
	path, _ := listen(t)
	name := filepath.Join(t.TempDir(), "stderr")
	stderr, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	c := open(path, stderr, "x", zapcore.InfoLevel)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	zap.New(c).Warn("alone", zap.Int("n", 1))
	if got, err := os.ReadFile(name); err != nil || string(got) != "<4>alone\t{\"n\": 1}\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if open(path, stderr, "x", zapcore.InfoLevel) != nil {
		t.Error("opened without a journal")
	}
}

func TestConnected(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	for stream, want := range map[string]bool{
		fmt.Sprintf("%d:%d", st.Dev, st.Ino): true, fmt.Sprintf("%d:%d", st.Dev, st.Ino+1): false, "": false, "x": false, "1": false,
	} {
		if connected(f, stream) != want {
			t.Errorf("%q: %v", stream, !want)
		}
	}
}
