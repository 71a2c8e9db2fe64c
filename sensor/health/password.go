package health

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	tokens "golang.org/x/time/rate"
)

const (
	// An address may try so many passwords at once, and another one after each pause.
	tryBurst = 5
	tryPause = 2 * time.Second
	// maxTriers bounds the addresses that are told apart; the others share.
	maxTriers = 4096
	// goodFor is how long a right password is remembered; maxGood bounds how many.
	goodFor = 10 * time.Minute
	maxGood = 64
	// checkWait is how long a request waits for the passwords of others to be checked.
	checkWait = 5 * time.Second
)

// gate checks passwords. Checking one costs about 0.1 s of CPU on purpose, so only one is checked at a time, each address
// may try only so often, and right ones are remembered, as a code that is of no use elsewhere.
type gate struct {
	check func(user, password string) bool
	turn  chan struct{} // held while a password is checked

	mu    sync.Mutex // a leaf; guards what follows
	key   [32]byte
	good  map[[sha256.Size]byte]time.Time // until when
	tries map[netip.Prefix]*tokens.Limiter
}

func newGate(check func(user, password string) bool) *gate {
	g := &gate{
		check: check, turn: make(chan struct{}, 1),
		good: make(map[[sha256.Size]byte]time.Time), tries: make(map[netip.Prefix]*tokens.Limiter),
	}
	_, _ = rand.Read(g.key[:]) // never fails
	return g
}

// verdict is what a gate says.
type verdict uint8

const (
	wrong verdict = iota
	right
	tooOften
	busy
)

// ask judges a password that comes from an address.
func (g *gate) ask(ctx context.Context, from netip.Addr, user, password string) verdict {
	now := time.Now()
	code := g.code(user, password)
	if g.remembered(code, now) {
		return right
	}
	if !g.mayTry(from, now) {
		return tooOften
	}
	timer := time.NewTimer(checkWait)
	defer timer.Stop()
	select {
	case g.turn <- struct{}{}:
	case <-timer.C:
		return busy
	case <-ctx.Done():
		return busy
	}
	ok := g.check(user, password)
	<-g.turn
	if !ok {
		return wrong
	}
	g.remember(code, time.Now())
	return right
}

// code is what is remembered of a password.
func (g *gate) code(user, password string) (code [sha256.Size]byte) {
	m := hmac.New(sha256.New, g.key[:])
	m.Write([]byte{byte(len(user) >> 8), byte(len(user))}) // a header of 16 KiB at most
	m.Write([]byte(user))
	m.Write([]byte(password))
	m.Sum(code[:0])
	return code
}

func (g *gate) remembered(code [sha256.Size]byte, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return now.Before(g.good[code])
}

func (g *gate) remember(code [sha256.Size]byte, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c, until := range g.good {
		if len(g.good) >= maxGood || now.After(until) {
			delete(g.good, c)
		}
	}
	g.good[code] = now.Add(goodFor)
}

// mayTry takes one try from the address's allowance.
func (g *gate) mayTry(from netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.allowance(from, now).AllowN(now, 1)
}

// allowance finds that of an IPv4 address or of an IPv6 network of 64 bits.
func (g *gate) allowance(from netip.Addr, now time.Time) *tokens.Limiter {
	bits := 32
	if from = from.Unmap(); from.Is6() {
		bits = 64
	}
	who, _ := from.WithZone("").Prefix(bits) // the zero prefix for no address
	if a := g.tries[who]; a != nil {
		return a
	}
	if len(g.tries) >= maxTriers {
		for p, a := range g.tries {
			if a.TokensAt(now) >= tryBurst {
				delete(g.tries, p) // as good as new
			}
		}
	}
	if len(g.tries) >= maxTriers {
		if who = (netip.Prefix{}); g.tries[who] != nil {
			return g.tries[who]
		}
	}
	a := tokens.NewLimiter(tokens.Every(tryPause), tryBurst)
	g.tries[who] = a
	return a
}
