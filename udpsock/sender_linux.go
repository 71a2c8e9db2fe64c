package udpsock

import (
	"errors"
	"time"
)

type sendSocket struct{}

func (s *Sender) dial(Options) error                            { return errors.ErrUnsupported }
func (s *Sender) send([]byte, int, time.Duration) (int, error)  { return 0, errors.ErrUnsupported }
func (s *Sender) sendMany([][]byte, time.Duration) (int, error) { return 0, errors.ErrUnsupported }
func (s *Sender) maxDatagram() int                              { return ethernetMTU - s.headers() }
func (s *Sender) close() error                                  { return nil }
