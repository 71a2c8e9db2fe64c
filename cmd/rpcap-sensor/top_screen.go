package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// lookAtSize is how often the size of the terminal is looked at: not every system tells when it changes.
const lookAtSize = 200 * time.Millisecond

// What terminals understand: a second screen, so that what was there comes back, and no cursor.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	toTop       = "\x1b[H"
	clearLine   = "\x1b[K"
	clearRest   = "\x1b[J"
)

// print writes the table, -n times; without -n once.
func (o *topSettings) print(ctx context.Context, c *topClient, v *topView) error {
	for i := 0; ; i++ {
		a, err := c.ask(ctx, v.sort, v.desc, o.find)
		if err != nil {
			return err
		}
		v.answer = a
		if _, err := fmt.Fprintln(o.stdout, strings.Join(v.lines(0, 0), "\n")); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
		if i+1 >= max(o.count, 1) || o.once {
			return nil
		}
		select {
		case <-time.After(o.interval):
		case <-ctx.Done():
			return nil
		}
	}
}

// live keeps the table up to date until q.
func (o *topSettings) live(ctx context.Context, c *topClient, v *topView) (err error) {
	v.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	keys := make(chan string)
	if isTerminal(o.stdin) {
		old, err := term.MakeRaw(int(o.stdin.Fd()))
		if err != nil {
			return fmt.Errorf("prepare terminal: %w", err)
		}
		defer func() { err = errors.Join(err, term.Restore(int(o.stdin.Fd()), old)) }()
		go readKeys(o.stdin, keys) // ends with the program: reading a terminal cannot be interrupted
	}
	fmt.Fprint(o.stdout, enterScreen)
	defer fmt.Fprint(o.stdout, leaveScreen)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &topScreen{o: o, c: c, v: v, answers: make(chan topResult, 1)}
	s.ask(ctx)
	size := time.NewTicker(lookAtSize)
	defer size.Stop()
	again := time.NewTicker(o.interval)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-size.C:
			if w, h := s.size(); w == s.width && h == s.height {
				continue
			}
		case <-again.C:
			if !v.paused {
				s.ask(ctx)
			}
			continue
		case r := <-s.answers:
			s.asking = false
			if s.taken(r); s.ended() {
				return v.trouble
			}
			if s.stale { // the order was changed meanwhile
				s.ask(ctx)
			}
		case key := <-keys:
			if !s.key(key) {
				return nil
			}
			if s.stale {
				s.ask(ctx)
			}
		}
		s.draw()
	}
}

// topResult is the answer to a question, or why there is none.
type topResult struct {
	answer *topAnswer
	err    error
}

// topScreen is the terminal while top runs. One goroutine owns it; questions are asked by another, one at a time.
type topScreen struct {
	o             *topSettings
	c             *topClient
	v             *topView
	answers       chan topResult
	asking, stale bool
	count         int
	width, height int
}

// ask asks unless a question is open.
func (s *topScreen) ask(ctx context.Context) {
	if s.asking {
		return
	}
	s.asking, s.stale = true, false
	sort, desc := s.v.sort, s.v.desc
	go func() {
		a, err := s.c.ask(ctx, sort, desc, s.o.find)
		s.answers <- topResult{a, err}
	}()
}

// taken takes in an answer.
func (s *topScreen) taken(r topResult) {
	s.count++
	s.v.trouble = r.err
	if r.err == nil {
		s.v.answer = r.answer
	}
}

// ended reports whether there were enough answers, or the very first question shows that there will be none.
func (s *topScreen) ended() bool {
	return s.o.count > 0 && s.count >= s.o.count || s.v.answer == nil && s.v.trouble != nil
}

func (s *topScreen) size() (width, height int) {
	width, height, err := term.GetSize(int(s.o.stdout.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// draw writes the whole screen at once, without clearing it before: nothing flickers.
func (s *topScreen) draw() {
	s.width, s.height = s.size()
	lines := s.v.lines(s.width, s.height)
	lines = lines[:min(len(lines), s.height)]
	var b strings.Builder
	b.WriteString(toTop)
	for i, line := range lines {
		if i > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(line + clearLine)
	}
	b.WriteString(clearRest)
	fmt.Fprint(s.o.stdout, b.String())
}

// topSortKeys are the letters that choose a column.
var topSortKeys = map[string]string{
	"n": "name", "s": "state", "c": "captured", "f": "received", "p": "rate", "d": "dropped", "m": "missing", "o": "output",
	"k": "clock", "t": "connected",
}

// key obeys a key; it returns false at the end.
func (s *topScreen) key(key string) bool {
	page := max(1, s.height-8)
	switch key {
	case "q", "Q", "\x03", "\x04":
		return false
	case " ":
		s.v.paused = !s.v.paused
	case "r":
		s.v.sortBy(s.v.sort)
		s.stale = true
	case "\x1b[A":
		s.v.from--
	case "\x1b[B":
		s.v.from++
	case "\x1b[5~":
		s.v.from -= page
	case "\x1b[6~":
		s.v.from += page
	case "\x1b[H", "\x1b[1~":
		s.v.from = 0
	case "\x1b[F", "\x1b[4~":
		s.v.from = 1 << 30
	default:
		if column := topSortKeys[key]; column != "" {
			s.v.sortBy(column)
			s.stale = true
		}
	}
	return true
}

// readKeys splits what a terminal sends into keys: a character, or a sequence that begins with escape.
func readKeys(f *os.File, keys chan<- string) {
	r := bufio.NewReader(f)
	for {
		c, err := r.ReadByte()
		if err != nil {
			return
		}
		key := string(c)
		if c == 0x1b && r.Buffered() > 0 {
			for r.Buffered() > 0 && len(key) < 8 {
				c, _ := r.ReadByte() // buffered
				key += string(rune(c))
				if len(key) > 2 && (c == '~' || c >= 'A' && c <= 'Z') {
					break
				}
			}
			key = strings.Replace(key, "\x1bO", "\x1b[", 1) // what some send in their application mode
		}
		keys <- key
	}
}
