package health

import (
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"

	"go.uber.org/zap"

	"rpcapd/sensor/address"
	"rpcapd/tlsfiles"
)

// New opens the listener and reads the certificate; Run serves. Without Run, Close is needed.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	s := newServer(o)
	var tlsConfig *tls.Config
	if o.Certificate != "" {
		files := tlsfiles.Files{Certificate: o.Certificate, Key: o.Key, Protocols: []string{"h2", "http/1.1"}}
		c, err := tlsfiles.Open(files, s.renewed)
		if err != nil {
			return nil, fmt.Errorf("start HTTP: %w", err)
		}
		tlsConfig = c.Server()
	}
	if o.Authenticate != nil {
		s.gate = newGate(o.Authenticate)
	}
	addr := o.Listen.String()
	if !o.Listen.Addr().IsValid() {
		addr = fmt.Sprintf(":%d", o.Listen.Port())
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, address.ListenError("listen for HTTP on "+addr, o.Listen, err)
	}
	s.listener = newSeats(l, maxConnections, s.log)
	if tlsConfig != nil {
		s.listener = tls.NewListener(s.listener, tlsConfig)
	}
	s.http = &http.Server{
		Handler:           s.handler(),
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       log.New(debugLog{s.log}, "", 0),
	}
	follow(s.http)
	return s, nil
}

// handler routes requests. Those for /healthz and /readyz need no password: supervisors have none.
func (s *Server) handler() http.Handler {
	open, closed := http.NewServeMux(), http.NewServeMux()
	open.HandleFunc("/healthz", healthz)
	open.HandleFunc("/readyz", s.readyz)
	open.Handle("/", s.password(closed))
	closed.HandleFunc("/{$}", s.page)
	closed.Handle("/static/", static())
	closed.HandleFunc("/favicon.ico", http.NotFound)
	closed.Handle("/metrics", s.metrics())
	for path, answer := range s.answers() {
		closed.HandleFunc("/api/v1/"+path, func(w http.ResponseWriter, r *http.Request) { s.json(w, r, answer) })
	}
	return s.guard(open)
}
