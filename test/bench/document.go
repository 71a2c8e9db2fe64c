package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// documentText is the document with places for the numbers.
//
//go:embed document.md.tmpl
var documentText string

var documentTemplate = template.Must(template.New("document").Funcs(template.FuncMap{
	"pointsTable": (*report).pointsTable,
	"kept":        keptWord,
	"mib":         mebibytes,
	"rate":        rateText,
	"onOff":       onOff,
	"day":         func(t time.Time) string { return t.UTC().Format("2 January 2006") },
	"minutes":     func(seconds float64) string { return fmt.Sprintf("%.0f", max(1, seconds/60)) },
	"percent":     percent,
}).Parse(documentText))

func keptWord(kept bool) string {
	if kept {
		return "yes"
	}
	return "**no**"
}

// document writes the text, and the plots into a folder beside it that has its name in
// small letters: docs/PERFORMANCE.md, docs/performance/.
func (r *report) document(path string) error {
	folder := filepath.Join(filepath.Dir(path), strings.ToLower(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write plots: %w", err)
	}
	for name, svg := range r.plots() {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(svg), 0o644); err != nil {
			return fmt.Errorf("write plots: %w", err)
		}
	}
	var b strings.Builder
	if err := documentTemplate.Execute(&b, documentData{report: r, Folder: filepath.Base(folder)}); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// documentData is what the template sees.
type documentData struct {
	*report
	Folder string // of the plots, relative to the document
}

func (d documentData) Report() *report  { return d.report }
func (d documentData) Bounds() []bound  { return d.bounds() }
func (d documentData) Series() []series { return d.series() }

// Plot is the file of a plot, "" where there is none.
func (d documentData) Plot(kind string, s series) string {
	name := kind + "-" + s.name() + ".svg"
	if _, ok := d.plots()[name]; !ok {
		return ""
	}
	return d.Folder + "/" + name
}

// Disturbed counts the points whose agent had to wait for its CPU.
func (d documentData) Disturbed() (n int) {
	for i := range d.Points {
		if d.Points[i].disturbed() {
			n++
		}
	}
	return n
}

// Rounds is how many runs into the sink a point has.
func (d documentData) Rounds() int {
	if len(d.Points) == 0 {
		return 0
	}
	return len(d.Points[0].Runs)
}

// Spread is the median of how far the costs of the runs of a point lie apart, in per cent.
func (d documentData) Spread() string {
	var list []float64
	for i := range d.Points {
		list = append(list, d.Points[i].spread())
	}
	return fmt.Sprintf("%.0f", median(list))
}

// pointsTable is a series as a table.
func (r *report) pointsTable(s series) string {
	var b strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&b, "| %s ", c.name)
	}
	b.WriteString("|\n")
	b.WriteString(strings.Repeat("|---:", len(columns)) + "|\n")
	for i := range r.Points {
		p := &r.Points[i]
		if p.series() != s {
			continue
		}
		for _, c := range columns {
			fmt.Fprintf(&b, "| %s ", c.cell(p))
		}
		b.WriteString("|\n")
	}
	return b.String()
}
