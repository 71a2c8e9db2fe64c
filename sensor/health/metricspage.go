package health

import (
	"bytes"
	"log"
	"maps"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// metrics serves the metrics. An answer is made as a whole before any of it is sent: a reader that does not read would
// otherwise hold one of the few places where answers are made.
func (s *Server) metrics() http.Handler {
	gather := promhttp.HandlerFor(s.tracker.registry(), promhttp.HandlerOpts{
		ErrorLog: log.New(debugLog{s.log}, "", 0),
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made := &recorded{header: make(http.Header), code: http.StatusOK}
		done, ok := s.making(r)
		if !ok {
			return
		}
		gather.ServeHTTP(made, r)
		done()
		maps.Copy(w.Header(), made.header)
		w.WriteHeader(made.code)
		if err := s.deliver(w, r, made.body.Bytes()); err != nil {
			s.log.Debug("answer not sent", zap.Error(err))
		}
	})
}

// recorded is an answer in memory.
type recorded struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorded) Header() http.Header { return r.header }

// Write implements http.ResponseWriter.
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }

// WriteHeader implements http.ResponseWriter.
func (r *recorded) WriteHeader(code int) { r.code = code }
