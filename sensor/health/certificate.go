package health

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

// checkCertificate is how often a renewed certificate is looked for.
const checkCertificate = time.Minute

// certificate is a pair of files that may be renewed while they are in use.
type certificate struct {
	cert, key string
	log       *zap.Logger

	mu      sync.Mutex // a leaf; guards what follows
	current *tls.Certificate
	changed time.Time // of the files in use
	checked time.Time
}

// load reads both files.
func (c *certificate) load() error {
	changed := c.modified()
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("read certificate for HTTP: %w", err)
	}
	c.current, c.changed, c.checked = &pair, changed, time.Now()
	return nil
}

// modified is when either file was changed last.
func (c *certificate) modified() (last time.Time) {
	for _, name := range []string{c.cert, c.key} {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// get implements tls.Config.GetCertificate. Files that cannot be used leave the old pair in use.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) < checkCertificate {
		return c.current, nil
	}
	c.checked = time.Now()
	if m := c.modified(); !m.Equal(c.changed) {
		if err := c.load(); err != nil {
			c.log.Warn("renewed certificate cannot be used; the old one stays", zap.Error(err))
			c.changed = m // said once
		}
	}
	return c.current, nil
}
