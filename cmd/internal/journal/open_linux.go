package journal

import (
	"fmt"
	"net"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"
)

// socketPath is where the journal listens (systemd-journald.service(8)).
const socketPath = "/run/systemd/journal/socket"

// New returns a core for the journal, nil where standard error is not connected to it, or
// the journal cannot be reached. Name is that of the program; entries below level are left out.
func New(stderr *os.File, name string, level zapcore.LevelEnabler) zapcore.Core {
	if !connected(stderr, os.Getenv("JOURNAL_STREAM")) {
		return nil
	}
	return open(socketPath, stderr, name, level)
}

// connected compares standard error with what systemd has connected: DEVICE:INODE.
func connected(stderr *os.File, stream string) bool {
	var device, inode uint64
	if _, err := fmt.Sscanf(stream, "%d:%d", &device, &inode); err != nil {
		return false
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(stderr.Fd()), &st); err != nil {
		return false
	}
	return uint64(st.Dev) == device && st.Ino == inode
}

func open(path string, stderr *os.File, name string, level zapcore.LevelEnabler) zapcore.Core {
	// Not connected: the journal may be restarted, and the socket stays where it is.
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram"})
	if err != nil {
		return nil
	}
	to := &net.UnixAddr{Name: path, Net: "unixgram"}
	send := func(b []byte) error {
		_, err := conn.WriteToUnix(b, to)
		return err
	}
	if send(nil) != nil { // an empty datagram is passed over
		conn.Close()
		return nil
	}
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeDuration = zapcore.StringDurationEncoder
	cfg.TimeKey, cfg.LevelKey = zapcore.OmitKey, zapcore.OmitKey
	return &core{LevelEnabler: level, name: name, text: zapcore.NewConsoleEncoder(cfg), send: send, stderr: stderr}
}
