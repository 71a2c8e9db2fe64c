package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rpcapd/numbers"
)

// Report is what doctor has found. The members of the JSON form are stable.
type Report struct {
	Program string    `json:"program"` // rpcapd or rpcap-sensor
	Version string    `json:"version"`
	Host    string    `json:"host"`
	System  string    `json:"system"` // operating system, kernel and architecture
	User    string    `json:"user"`   // who has run it
	Time    time.Time `json:"time"`
	Results []Result  `json:"results"`
	Summary Summary   `json:"summary"`
}

// Summary counts the results.
type Summary struct {
	OK         int `json:"ok"`
	Warnings   int `json:"warnings"`
	Failed     int `json:"failed"`
	NotChecked int `json:"not_checked"`
}

// Add takes results into the report.
func (r *Report) Add(results []Result) {
	r.Results = append(r.Results, results...)
	for _, x := range results {
		switch x.State {
		case StateOK:
			r.Summary.OK++
		case StateWarning:
			r.Summary.Warnings++
		case StateFailed:
			r.Summary.Failed++
		default:
			r.Summary.NotChecked++
		}
	}
}

// ForArchive is the report without what may quote secrets.
func (r *Report) ForArchive() *Report {
	c := *r
	c.Results = slices.Clone(r.Results)
	for i := range c.Results {
		if x := &c.Results[i]; x.Quoting {
			x.Seen = x.Archived
		}
	}
	return &c
}

// JSON is the report for programs.
func (r *Report) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
}

// Text writes the whole report for people.
func (r *Report) Text(w io.Writer) {
	r.Head(w)
	for _, x := range r.Results {
		x.Text(w)
	}
	r.Foot(w)
}

// Head writes what comes before the results.
func (r *Report) Head(w io.Writer) {
	fmt.Fprintf(w, "%s %s on %s, %s, as %s\n\n", r.Program, r.Version, r.Host, r.System, r.User)
}

// Foot writes what comes after them.
func (r *Report) Foot(w io.Writer) {
	s := r.Summary
	fmt.Fprintf(w, "\n%d ok, %s, %d failed, %d not checked\n", s.OK, numbers.Things(s.Warnings, "warning"), s.Failed, s.NotChecked)
}

// Text writes a result for people.
func (r Result) Text(w io.Writer) {
	seen := r.Seen
	if r.Subject != "" {
		seen = r.Subject + ": " + seen
	}
	fmt.Fprintf(w, "%-11s  %-13s  %s\n", r.State, r.Check, indent(seen))
	if r.Means != "" {
		fmt.Fprintf(w, "%26s  means: %s\n", "", indent(r.Means))
	}
	if r.Cure != "" {
		fmt.Fprintf(w, "%26s  cure:  %s\n", "", indent(r.Cure))
	}
}

// indent puts further lines of a text below the first.
func indent(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+strings.Repeat(" ", 28))
}
