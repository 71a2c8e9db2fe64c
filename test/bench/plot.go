package main

import (
	"fmt"
	"html"
	"strings"
)

// plot is curves over a common pair of axes, drawn as SVG.
type plot struct {
	title  string
	x, y   axis
	curves []curve
}

// curve is one line of a plot with its name.
type curve struct {
	name string
	dots []dot
}

type dot struct {
	x, y float64
	text string // shown when pointed at
}

// Sizes in SVG units.
const (
	plotWidth, plotHeight = 760, 420
	plotLeft, plotRight   = 70, 110 // the legend is on the right
	plotTop, plotBottom   = 40, 55
)

// colours can be told apart by those who do not see all of them (Okabe and Ito); shapes
// help too.
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// svg draws the plot; it is readable on a dark page, too.
func (p *plot) svg() string {
	p.x.from, p.x.to = plotLeft, plotWidth-plotRight
	p.y.from, p.y.to = plotHeight-plotBottom, plotTop
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label="%s" font-family="sans-serif" font-size="12">`+"\n",
		plotWidth, plotHeight, html.EscapeString(p.title))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<text x="%d" y="22" font-size="14" font-weight="bold">%s</text>`+"\n", plotLeft, html.EscapeString(p.title))
	p.grid(&b)
	for i, c := range p.curves {
		p.draw(&b, i, c)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// grid draws the axes.
func (p *plot) grid(b *strings.Builder) {
	for _, v := range p.x.marks() {
		at := p.x.place(v)
		line(b, at, plotTop, at, plotHeight-plotBottom)
		label(b, "middle", at, plotHeight-plotBottom+18, short(v))
	}
	for _, v := range p.y.marks() {
		at := p.y.place(v)
		line(b, plotLeft, at, plotWidth-plotRight, at)
		label(b, "end", plotLeft-8, at+4, short(v))
	}
	label(b, "middle", (plotLeft+plotWidth-plotRight)/2, plotHeight-12, p.x.title)
	middle := (plotTop + plotHeight - plotBottom) / 2
	fmt.Fprintf(b, `<text x="18" y="%d" text-anchor="middle" transform="rotate(-90 18 %[1]d)">%s</text>`+"\n", middle, html.EscapeString(p.y.title))
}

func line(b *strings.Builder, x1, y1, x2, y2 float64) {
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>`+"\n", x1, y1, x2, y2)
}

// label writes text; anchor says which end of it is at x.
func label(b *strings.Builder, anchor string, x, y float64, text string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(text))
}

// draw draws one curve, its dots and its line of the legend.
func (p *plot) draw(b *strings.Builder, i int, c curve) {
	colour := colours[i%len(colours)]
	var points []string
	for _, d := range c.dots {
		points = append(points, fmt.Sprintf("%.1f,%.1f", p.x.place(d.x), p.y.place(d.y)))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colour)
	for _, d := range c.dots {
		fmt.Fprintf(b, `<path d="%s" fill="%s"><title>%s</title></path>`+"\n",
			shape(i, p.x.place(d.x), p.y.place(d.y)), colour, html.EscapeString(d.text))
	}
	at := float64(plotTop + 10 + 20*i)
	fmt.Fprintf(b, `<path d="%s" fill="%s"/>`+"\n", shape(i, plotWidth-plotRight+20, at), colour)
	label(b, "start", plotWidth-plotRight+32, at+4, c.name)
}

// shape is the path of a dot: square, diamond, triangle, or triangle upside down.
func shape(i int, x, y float64) string {
	switch i % 4 {
	case 0:
		return fmt.Sprintf("M%.1f %.1fh7v7h-7z", x-3.5, y-3.5)
	case 1:
		return fmt.Sprintf("M%.1f %.1fl4.5 4.5l-4.5 4.5l-4.5 -4.5z", x, y-4.5)
	case 2:
		return fmt.Sprintf("M%.1f %.1fl4.5 8h-9z", x, y-4.5)
	}
	return fmt.Sprintf("M%.1f %.1fl4.5 -8h-9z", x, y+4.5)
}
