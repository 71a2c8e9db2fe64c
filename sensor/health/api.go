package health

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"go.uber.org/zap"
)

// minCompressed is from how many bytes on an answer is compressed: about one packet.
const minCompressed = 1400

// answer makes what an address of the API says. An error is the asker's.
type answer func(v *view, q *query) (any, error)

// The answers of the API. Lists are never null.
type (
	// PeersAnswer is what /api/v1/peers says. Parameters: q, state, sort, order, limit, page; without them it is all peers by name.
	PeersAnswer struct {
		Time  time.Time `json:"time"`
		Total int       `json:"total"` // peers that match, on all pages
		Peers []Peer    `json:"peers"`
	}
	// PortsAnswer is what /api/v1/ports says.
	PortsAnswer struct {
		Time  time.Time `json:"time"`
		Ports []Port    `json:"ports"`
	}
	// SinksAnswer is what /api/v1/sinks says.
	SinksAnswer struct {
		Time  time.Time `json:"time"`
		Sinks []Sink    `json:"sinks"`
	}
	// ProblemsAnswer is what /api/v1/problems says.
	ProblemsAnswer struct {
		Time     time.Time `json:"time"`
		Problems []Problem `json:"problems"`
	}
)

func (s *Server) answers() map[string]answer {
	return map[string]answer{
		"status": func(v *view, _ *query) (any, error) { return &v.status, nil },
		"peers": func(v *view, q *query) (any, error) {
			list, total := q.peers(v.peers)
			return PeersAnswer{v.status.Time, total, list}, nil
		},
		"ports":    func(v *view, _ *query) (any, error) { return PortsAnswer{v.status.Time, v.ports}, nil },
		"sinks":    func(v *view, _ *query) (any, error) { return SinksAnswer{v.status.Time, v.sinks}, nil },
		"problems": func(v *view, _ *query) (any, error) { return ProblemsAnswer{v.status.Time, v.problems}, nil },
		"history":  func(_ *view, q *query) (any, error) { return s.tracker.chart(q) },
	}
}

// json answers a request of the API.
func (s *Server) json(w http.ResponseWriter, r *http.Request, a answer) {
	w.Header().Set("Content-Type", "application/json")
	done, ok := s.making(r)
	if !ok {
		return
	}
	body, status := s.encode(r, a, done)
	s.send(w, r, status, body)
}

// encode makes an answer and its status, and calls done.
func (s *Server) encode(r *http.Request, a answer, done func()) (body []byte, status int) {
	defer done()
	q, err := parseQuery(r.URL.Query(), 0)
	var out any
	if err == nil {
		out, err = a(s.tracker.look(time.Now()), q)
	}
	status = http.StatusOK
	if err != nil {
		out, status = map[string]string{"error": err.Error()}, http.StatusBadRequest
	}
	var made bytes.Buffer
	if err := json.NewEncoder(&made).Encode(out); err != nil { // cannot be, for these types
		s.log.Warn("answer not made", zap.String("path", r.URL.Path), zap.Error(err))
		return nil, http.StatusInternalServerError
	}
	return made.Bytes(), status
}

// send writes a body, compressed if that is wanted and worth it.
func (s *Server) send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if len(body) >= minCompressed && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var packed bytes.Buffer
		z, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed) // a level that exists
		if _, err := z.Write(body); err == nil && z.Close() == nil {
			h.Set("Content-Encoding", "gzip")
			body = packed.Bytes()
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if err := s.deliver(w, r, body); err != nil {
		s.log.Debug("answer not sent", zap.Error(err))
	}
}

// healthz says that the process lives.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// readyz says whether the sensor does its work, and to those who may know, why not.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	v := s.tracker.look(time.Now())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if v.status.Ready {
		fmt.Fprintln(w, "ready")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintln(w, "not ready")
	if s.gate != nil {
		return // the reasons name files and hosts
	}
	for _, reason := range v.status.Reasons {
		fmt.Fprintln(w, reason)
	}
}

// deliver writes a body.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, body []byte) error {
	if len(body) > shortAnswer {
		from, _ := netip.ParseAddrPort(r.RemoteAddr) // always one with TCP
		control := http.NewResponseController(w)
		x := &sending{from: from.Addr().Unmap(), bytes: len(body), stop: func() {
			_ = control.SetWriteDeadline(time.Now()) // the write ends, and with it the connection
		}}
		s.sendings.begin(x)
		defer s.sendings.end(x)
	}
	_, err := w.Write(body)
	return err
}

// making waits for the turn to make an answer. done gives it to the next one; ok is false if the asker has left.
func (s *Server) making(r *http.Request) (done func(), ok bool) {
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns }, true
	case <-r.Context().Done():
		return nil, false
	}
}
