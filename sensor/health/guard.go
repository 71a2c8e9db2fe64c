package health

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// policy lets the page load its own script and style, talk to its own server, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guard refuses what is not served at all and sets the headers that every answer has.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD: nothing can be changed here", http.StatusMethodNotAllowed)
			return
		}
		if s.local() && !s.knownHost(r.Host) {
			http.Error(w, "the host name in this request is unknown; use http://127.0.0.1 or localhost, "+
				"or add the name to Names in [http]", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knownHost keeps out web pages of other sites whose name was made to point to this machine (DNS rebinding). They cannot
// do without a name: an address is always right.
func (s *Server) knownHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(s.opts.Names, host)
}

// password asks for one, if there are any.
func (s *Server) password(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.allowed(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// allowed answers the request itself if it is not.
func (s *Server) allowed(w http.ResponseWriter, r *http.Request) bool {
	if s.gate == nil {
		return true
	}
	user, password, given := r.BasicAuth()
	v := wrong
	if given {
		from, _ := netip.ParseAddrPort(r.RemoteAddr) // always one with TCP
		v = s.gate.ask(r.Context(), from.Addr(), user, password)
	}
	switch v {
	case right:
		return true
	case tooOften:
		w.Header().Set("Retry-After", "2")
		http.Error(w, "too many passwords were tried; wait a few seconds", http.StatusTooManyRequests)
	case busy:
		w.Header().Set("Retry-After", "2")
		http.Error(w, "too many passwords are being checked; try again", http.StatusServiceUnavailable)
	default:
		w.Header().Set("WWW-Authenticate", `Basic realm="rpcap-sensor", charset="UTF-8"`)
		http.Error(w, "name and password of an Account of [http] are needed", http.StatusUnauthorized)
	}
	return false
}
