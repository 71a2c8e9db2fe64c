package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"go.uber.org/zap"
)

const (
	maxConnections = 256
	headerTime     = 5 * time.Second
	readTime       = 10 * time.Second
	writeTime      = 30 * time.Second
	idleTime       = 60 * time.Second
	maxHeaderBytes = 16 << 10
	// closeTime is how long requests may take to end when the sensor stops.
	closeTime = 2 * time.Second
)

// Options configures New.
type Options struct {
	Source      Source
	Listen      netip.AddrPort // the zero address is every address; port 0 lets the system choose
	Certificate string         // path of a PEM file; empty: no TLS
	Key         string         // path of a PEM file
	// Authenticate tells whether a password is right; nil lets everybody look. It may be slow: what it has said yes to is
	// remembered for a while, and each address may ask only so often.
	Authenticate func(user, password string) bool
	Names        []string // host names, in lower case, besides localhost, by which it may be asked for on loopback
	Version      string
	Log          *zap.Logger // nil is silent
}

// Server shows the health of a sensor over HTTP.
type Server struct {
	opts     Options
	log      *zap.Logger
	tracker  *tracker
	gate     *gate // nil without authentication
	listener net.Listener
	http     *http.Server
	turns    chan struct{} // those who make an answer
	sendings *sendings
}

// renewed tells of a certificate that was renewed.
func (s *Server) renewed(err error) {
	if err != nil {
		s.log.Warn("renewed certificate cannot be used; the old one stays in use", zap.Error(err))
		return
	}
	s.log.Info("certificate reloaded")
}

func newServer(o Options) *Server {
	return &Server{
		opts: o, log: o.Log.Named("http"), tracker: newTracker(o.Source, o.Version, time.Now()),
		turns: make(chan struct{}, maxMaking), sendings: newSendings(maxSending),
	}
}

// Addr is where it listens.
func (s *Server) Addr() netip.AddrPort {
	if a, ok := s.listener.Addr().(*net.TCPAddr); ok {
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// URL is where people find the page.
func (s *Server) URL() string {
	scheme, a := "http", s.Addr()
	if s.opts.Certificate != "" {
		scheme = "https"
	}
	if a.Addr().IsUnspecified() {
		a = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
	}
	return scheme + "://" + a.String() + "/"
}

// local reports whether only this machine can reach it.
func (s *Server) local() bool { return s.Addr().Addr().IsLoopback() }

// Close closes the listener of a server that is not run.
func (s *Server) Close() error {
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close HTTP listener: %w", err)
	}
	return nil
}

// Run serves and keeps the history until ctx is cancelled.
func (s *Server) Run(ctx context.Context) error {
	s.log.Info("showing health", zap.String("url", s.URL()))
	if !s.local() && s.gate == nil {
		s.log.Warn("anyone who reaches this machine can read health; add an Account to [http], or listen on 127.0.0.1")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.tracker.run(ctx)
		end, cancelEnd := context.WithTimeout(context.Background(), closeTime)
		defer cancelEnd()
		if s.http.Shutdown(end) != nil {
			_ = s.http.Close() // who still reads has had its time
		}
	}()
	err := s.http.Serve(s.listener)
	cancel()
	<-done
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// debugLog takes what the HTTP packages have to say, mostly of broken connections.
type debugLog struct{ log *zap.Logger }

// Write implements io.Writer.
func (d debugLog) Write(p []byte) (int, error) {
	d.log.Debug("http", zap.ByteString("message", p))
	return len(p), nil
}
