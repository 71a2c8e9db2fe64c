package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	"golang.org/x/term"

	"rpcapd/capture"
	"rpcapd/iface"
	"rpcapd/rpcap"
)

// standardInput is the path that stands for it, and stdinName the interface that it appears as.
const (
	standardInput = "-"
	stdinName     = "stdin"
)

// errFileSent ends a connection, and with ReadOnce its session, whose capture file has been sent.
var errFileSent = errors.New("the capture file has been sent")

// openFile finds out at the start whether a capture file can be read. What can be read only once stays open.
func (i *interfaces) openFile(path string) error {
	f, name := os.Stdin, stdinName
	if path != standardInput {
		var err error
		if f, err = os.Open(path); err != nil {
			return fmt.Errorf("capture from a file: %w", err)
		}
		name = filepath.Base(path)
	}
	i.file, i.name = path, name
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("capture from a file: %w", err)
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		f.Close()
		return fmt.Errorf("capture from a file: %s is a directory; name a file", path)
	case mode.IsRegular() && path != standardInput:
		f.Close() // each capture opens it anew
		src, err := capture.OpenFile(path, capture.Options{})
		if err != nil {
			return err
		}
		return src.Close()
	case term.IsTerminal(int(f.Fd())):
		return errors.New("capture from standard input: it is a terminal; use -r - with a pipe, as in tcpdump -U -w - | rpcapd -r -")
	}
	i.pipe, err = capture.OpenPipe(f, name)
	return err
}

// exhausted tells whether a capture has read its file to the end.
func (c *capturing) exhausted() bool {
	src, ok := c.source.(interface{ Exhausted() bool })
	return ok && src.Exhausted()
}

// endOfFile takes a bad end of a capture file for what it is: the end of what can be forwarded, told once. The sensor
// would only ask for the file again.
func (c *capturing) endOfFile(err error) error {
	if src, ok := c.source.(interface{ Odd() capture.Odd }); ok {
		odd := src.Odd()
		c.mu.Lock()
		c.odd = odd
		c.mu.Unlock()
		if odd != (capture.Odd{}) {
			c.log.Warn("capture file: frames are cut or left out", zap.Uint64("longer_than_262144_bytes_cut", odd.Cut),
				zap.Uint64("of_another_link_type_left_out", odd.OtherLink), zap.Uint32("linktype", c.info.LinkType))
		}
	}
	var bad *capture.FileError
	if !errors.As(err, &bad) {
		return err
	}
	c.fileError = bad
	return nil
}

// fileSent ends the session of a file that has been read to its end, if it is to be sent once only. The sensor has time
// to ask for the last numbers.
func (c *connection) fileSent(capt *capturing) {
	if capt.fileError != nil {
		c.session.complain("capture file is damaged, the frames before the damage have been forwarded", capt.fileError)
	}
	if !c.session.agent.opts.ReadOnce || !capt.exhausted() {
		return
	}
	c.session.served.Store(true)
	how := "all of the file has been sent"
	if capt.fileError != nil { // without its path, which is none of the sensor's business
		how = fmt.Sprintf("the file is damaged (%v), the frames before the damage have been sent", errors.Unwrap(capt.fileError))
	}
	e := &rpcap.Error{Code: rpcap.CodeRead, Text: fmt.Sprintf("%s: capture of %s ended: %s", rpcap.SessionEnds, capt.info.Interface, how)}
	_ = c.wire.WriteMessage(time.Now().Add(writeTimeout), e.Append(nil)) // it may have hung up already
	time.AfterFunc(fileEndTimeout, func() {
		x := c.session
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.hangUp != nil {
			x.hangUp(errFileSent)
		}
	})
}

func newInterfaces(file string) (*interfaces, error) {
	if file == "" {
		return &interfaces{read: iface.List}, nil
	}
	i := &interfaces{read: iface.List}
	return i, i.openFile(file)
}
