package health

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"rpcapd/numbers"
	"rpcapd/printable"

	"go.uber.org/zap"
)

// rowsPerPage keeps the page light with very many peers.
const rowsPerPage = 50

//go:embed page.html
var pageText string

//go:embed static
var staticFiles embed.FS

// assets are the static files with a code of their content, so that browsers may keep them for ever.
var assets = func() map[string]string {
	codes := make(map[string]string)
	names, _ := fs.Glob(staticFiles, "static/*") // a pattern that is good
	for _, name := range names {
		b, _ := staticFiles.ReadFile(name) // it is in the program
		sum := sha256.Sum256(b)
		codes[path.Base(name)] = hex.EncodeToString(sum[:6])
	}
	return codes
}()

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"asset":    func(name string) string { return "static/" + name + "?v=" + assets[name] },
	"n":        numbers.Commas,
	"kib":      kib,
	"count":    numbers.Count,
	"unit":     numbers.Noun[uint64],
	"rate":     numbers.Rate,
	"bits":     func(v float64) string { return numbers.Unit(v*8, "bit/s") },
	"bytes":    func(v uint64) string { return numbers.Unit(float64(v), "B") },
	"share":    share,
	"linktype": linkType,
	"uint64":   func(v uint32) uint64 { return uint64(v) },
	"plus":     func(a, b uint64) uint64 { return a + b },
	"ago":      func(now, t time.Time) string { return ago(now.Sub(t)) },
	"stamp":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"clock":    clockText,
	"noclock":  func(p *Peer) bool { return p.clockError() >= clockTolerance },
	"class":    func(s string) string { return strings.ReplaceAll(s, " ", "-") },
}).Parse(pageText))

// static serves script and style.
func static() http.Handler {
	files := http.FileServerFS(staticFiles)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code := assets[strings.TrimPrefix(r.URL.Path, "/static/")]
		if code == "" {
			http.NotFound(w, r)
			return
		}
		if r.URL.Query().Get("v") == code {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		files.ServeHTTP(w, r)
	})
}

// pageData is what the template shows.
type pageData struct {
	*Status
	Problems []Problem
	Errors   int // of the problems
	Warnings int
	Now      time.Time

	Columns []column
	Peers   []Peer
	Total   int // peers that match
	All     int // peers in all
	From    int // number of the first one on the page
	Pages   int
	Query   *queryView
	Peer    *Peer // the one looked at
	NoPeer  string

	Ports []Port
	Sinks []Sink
}

// column is one head of the table of peers.
type column struct {
	Key, Title, Explained string
	Number                bool
	Sorted                string // ascending, descending, or empty
	URL                   string
}

// queryView is a query for the template.
type queryView struct {
	Text, State, Sort, Order string
	Page                     int
	Next, Before             string // URLs of the neighbouring pages, empty if there is none
	States                   []string
	SortKeys                 []column
}

var columns = []column{
	{Key: "name", Title: "Peer", Explained: "agent and interface"},
	{Key: "state", Title: "State", Explained: "what the agent does now"},
	{Key: "rule", Title: "Rule", Explained: "the rule that it is served by"},
	{Key: "port", Title: "Port", Explained: "the sensor's data port", Number: true},
	{Key: "captured", Title: "Forwarded", Explained: "frames that the agent captured, as it says each 5 s", Number: true},
	{Key: "received", Title: "Received", Explained: "frames that arrived here", Number: true},
	{Key: "rate", Title: "Rate", Explained: "frames a second that arrive", Number: true},
	{Key: "dropped", Title: "Lost at agent", Explained: "frames that the agent's host dropped", Number: true},
	{Key: "missing", Title: "Lost on path", Explained: "frames captured that never arrived", Number: true},
	{Key: "output", Title: "Lost at outputs", Explained: "frames that outputs dropped", Number: true},
	{Key: "clock", Title: "Clock", Explained: "the agent's clock less the sensor's", Number: true},
	{Key: "connected", Title: "Connected", Explained: "for how long", Number: true},
}

// page shows everything to people.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q, err := parseQuery(r.URL.Query(), rowsPerPage)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, s.pageData(q)); err != nil {
		s.log.Warn("page not made", zap.Error(err))
		http.Error(w, "the page could not be made; the log says why", http.StatusInternalServerError)
		return
	}
	s.send(w, r, http.StatusOK, body.Bytes())
}

func (s *Server) pageData(q *query) *pageData {
	v := s.tracker.look(time.Now())
	d := &pageData{
		Status: &v.status, Problems: v.problems, Now: v.status.Time, All: len(v.peers), Ports: v.ports, Sinks: v.sinks,
	}
	for _, p := range v.problems {
		switch p.Severity {
		case SeverityError:
			d.Errors += 1 + p.More
		case SeverityWarning:
			d.Warnings += 1 + p.More
		}
	}
	d.Peers, d.Total = q.peers(v.peers)
	d.Pages = max(1, (d.Total+q.limit-1)/max(q.limit, 1))
	d.From = (q.page-1)*q.limit + 1
	for i := range v.peers {
		if v.peers[i].Name == q.peer {
			d.Peer = &v.peers[i]
		}
	}
	if q.peer != "" && d.Peer == nil {
		d.NoPeer = printable.Line(q.peer, printable.MaxName)
	}
	d.Query = &queryView{
		Text: q.text, State: q.state, Sort: q.sort, Order: q.order(), Page: q.page,
		States: []string{"running", "waiting", "held", "ended"}, SortKeys: columns,
	}
	if q.page > 1 {
		d.Query.Before = q.url(func(v url.Values) { v.Set("page", fmt.Sprint(min(q.page-1, d.Pages))) })
	}
	if q.page < d.Pages {
		d.Query.Next = q.url(func(v url.Values) { v.Set("page", fmt.Sprint(q.page+1)) })
	}
	d.Columns = q.columns()
	return d
}

func (q *query) order() string {
	if q.desc {
		return "desc"
	}
	return "asc"
}

// columns have URLs that sort by them: numbers the largest first, and the other way round at the second click.
func (q *query) columns() []column {
	out := make([]column, len(columns))
	for i, c := range columns {
		order := "asc"
		if c.Number {
			order = "desc"
		}
		if c.Key == q.sort {
			c.Sorted = "ascending"
			if order = "desc"; q.desc {
				c.Sorted, order = "descending", "asc"
			}
		}
		c.URL = q.url(func(v url.Values) {
			v.Set("sort", c.Key)
			v.Set("order", order)
			v.Del("page")
		})
		out[i] = c
	}
	return out
}

// url is that of the page with something changed. Like all URLs of the page it is relative: a proxy may have put the page
// below a path.
func (q *query) url(change func(url.Values)) string {
	v := url.Values{}
	for key, value := range map[string]string{"q": q.text, "state": q.state, "peer": q.peer} {
		if value != "" {
			v.Set(key, value)
		}
	}
	if q.sort != "name" || q.desc {
		v.Set("sort", q.sort)
		v.Set("order", q.order())
	}
	change(v)
	return "?" + v.Encode() + "#peers"
}

// clockText is an offset with its sign, in a unit that fits.
func clockText(offset *float64) string {
	if offset == nil {
		return "–"
	}
	sign, v := "+", *offset
	if v < 0 {
		sign, v = "−", -v
	}
	switch {
	case v < 0.0005:
		return "0 ms"
	case v < 1:
		return fmt.Sprintf("%s%.0f ms", sign, v*1000)
	case v < 100:
		return fmt.Sprintf("%s%.1f s", sign, v)
	default:
		return sign + ago(time.Duration(v*float64(time.Second)))
	}
}
