package pcapoverip

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// checkFiles is how often renewed files are looked for: at a handshake, at most once in this time.
	checkFiles = time.Second
	// maxPEM bounds a file of certificates.
	maxPEM = 4 << 20
)

// tlsFiles makes the configuration of TLS from files that may be renewed while they are in use.
type tlsFiles struct {
	TLS
	log *zap.Logger

	mu      sync.Mutex // a leaf; guards what follows
	current *tls.Config
	stamp   [4]fileStamp
	checked time.Time
}

// fileStamp tells one version of a file from another.
type fileStamp struct {
	changed time.Time
	size    int64
}

// stamps describes the files as they are now; one that is not there is the zero value.
func (f *tlsFiles) stamps() (all [4]fileStamp) {
	for i, name := range []string{f.Certificate, f.Key, f.ClientCA, f.CA} {
		if name == "" {
			continue
		}
		if info, err := os.Stat(name); err == nil {
			all[i] = fileStamp{info.ModTime(), info.Size()}
		}
	}
	return all
}

// load reads the files. It is called by New, and with mu held.
func (f *tlsFiles) load() error {
	f.stamp, f.checked = f.stamps(), time.Now()
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: f.ServerName,
		SessionTicketsDisabled: true, // who has lost the right to connect must not resume
	}
	if f.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
		if err != nil {
			return fmt.Errorf("read certificate %s and key %s: %w", f.Certificate, f.Key, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	var err error
	if f.ClientCA != "" {
		c.ClientAuth = tls.RequireAndVerifyClientCert
		if c.ClientCAs, err = readPool(f.ClientCA); err != nil {
			return err
		}
	}
	if f.CA != "" {
		if c.RootCAs, err = readPool(f.CA); err != nil {
			return err
		}
	}
	f.current = c
	return nil
}

// latest is the configuration of the files as they are. Files that cannot be used leave the old ones in use.
func (f *tlsFiles) latest() *tls.Config {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.checked) < checkFiles {
		return f.current
	}
	if f.checked = time.Now(); f.stamps() == f.stamp {
		return f.current
	}
	if err := f.load(); err != nil { // said once for each change
		f.log.Warn("renewed TLS files cannot be used; the old ones stay in use", zap.Error(err))
	} else {
		f.log.Info("TLS files read again")
	}
	return f.current
}

// server is a configuration that looks for renewed files at each handshake.
func (f *tlsFiles) server() *tls.Config {
	return &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return f.latest(), nil }}
}

// client is the configuration for a listener of the given name, unless another one is set.
func (f *tlsFiles) client(host string) *tls.Config {
	c := f.latest().Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	return c
}

// describe says for the status what is asked of the other end.
func (f *tlsFiles) describe() string {
	if f.ClientCA != "" {
		return "clients show a certificate"
	}
	return "yes"
}

// readPool reads certificates.
func readPool(name string) (*x509.CertPool, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	defer file.Close() // nothing was written
	text, err := io.ReadAll(io.LimitReader(file, maxPEM+1))
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	if len(text) > maxPEM {
		return nil, fmt.Errorf("read certificates: %s is larger than %d MiB", name, maxPEM>>20)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("read certificates: " + name + " has none in PEM format")
	}
	return pool, nil
}
