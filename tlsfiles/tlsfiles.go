package tlsfiles

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// interval is how often renewed files are looked for: at a handshake, at most once in this time.
const interval = time.Second

// Files names PEM files, and what else a configuration needs. An empty name is no file.
type Files struct {
	Certificate string // of this side, those of the authorities between behind it; goes with Key
	Key         string
	ClientCA    string // server: a client must show a certificate that one of these has signed
	CA          string // client: who may have signed the server's certificate; empty: the system's
	ServerName  string // client: the name in that certificate; empty: the host that is dialed
	Protocols   []string
}

// Config is the configuration of Files as they are. It may be used by several goroutines.
type Config struct {
	files   Files
	changed func(error)

	mu      sync.Mutex // a leaf; guards what follows
	current *tls.Config
	seen    [4]fs.FileInfo // of the files when they were read last
	looked  time.Time
}

// Open reads the files. changed, unless nil, is called by the handshake that finds renewed files: with nil when they are
// in use, else with the reason why the old ones stay. It must not block.
func Open(f Files, changed func(error)) (*Config, error) {
	c := &Config{files: f, changed: changed}
	if err := c.load(c.look()); err != nil {
		return nil, err
	}
	return c, nil
}

// Server is the configuration of a listener. Each handshake takes the files as they are.
func (c *Config) Server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: c.files.Protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.latest(), nil },
	}
}

// Client is the configuration of one connection to a host.
func (c *Config) Client(host string) *tls.Config {
	out := c.latest().Clone()
	if out.ServerName == "" {
		out.ServerName = host
	}
	return out
}

// AsksClients reports whether clients must show a certificate.
func (c *Config) AsksClients() bool { return c.files.ClientCA != "" }

func (c *Config) latest() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < interval {
		return c.current
	}
	c.looked = time.Now()
	now := c.look()
	if same(now, c.seen) {
		return c.current
	}
	if err := c.load(now); c.changed != nil {
		c.changed(err)
	}
	return c.current
}

// look describes the files as they are; nil is none, or none that can be read.
func (c *Config) look() (all [4]fs.FileInfo) {
	for i, name := range []string{c.files.Certificate, c.files.Key, c.files.ClientCA, c.files.CA} {
		if name != "" {
			all[i], _ = os.Stat(name) // load says what is wrong
		}
	}
	return all
}

// same reports whether no file was written or replaced. A file of the same size and time may be another one: a link that
// leads elsewhere, or a copy that kept its time.
func same(a, b [4]fs.FileInfo) bool {
	for i := range a {
		x, y := a[i], b[i]
		if (x == nil) != (y == nil) || x != nil && !(os.SameFile(x, y) && x.ModTime().Equal(y.ModTime()) && x.Size() == y.Size()) {
			return false
		}
	}
	return true
}

// load reads the files, which were seen before. On an error what was current stays. Open calls it, or mu is held.
func (c *Config) load(seen [4]fs.FileInfo) error {
	c.seen = seen
	f := &c.files
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName, NextProtos: f.Protocols}
	if f.Certificate != "" {
		pair, err := readPair(f.Certificate, f.Key)
		if err != nil {
			return err
		}
		out.Certificates = []tls.Certificate{pair}
	}
	var err error
	if f.ClientCA != "" {
		out.ClientAuth = tls.RequireAndVerifyClientCert
		out.SessionTicketsDisabled = true // a client whose right to connect has ended must not resume
		if out.ClientCAs, err = ReadPool(f.ClientCA); err != nil {
			return fmt.Errorf("read certificates of clients: %w", err)
		}
	}
	if f.CA != "" {
		if out.RootCAs, err = ReadPool(f.CA); err != nil {
			return fmt.Errorf("read certificates of servers: %w", err)
		}
	}
	c.current = out
	return nil
}
