package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rpcapd/cmd/internal/password"
	"rpcapd/printable"
	"rpcapd/sensor/health"
	"rpcapd/tlsfiles"
)

const (
	// askTimeout bounds one question, maxAnswer its answer: 4,096 peers are about 8 MB.
	askTimeout = 10 * time.Second
	maxAnswer  = 64 << 20
)

// topClient asks a sensor's health server.
type topClient struct {
	context        context.Context // of the program; nothing else is cancelled by it
	base           string
	http           *http.Client
	user, password string
}

// topAnswer is one moment of a sensor.
type topAnswer struct {
	status   health.Status
	peers    []health.Peer
	problems []health.Problem
}

func (o *topSettings) client() (*topClient, error) {
	base, pinned, err := o.address()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usageError{fmt.Errorf("--url %q: it is http://HOST:PORT or https://HOST:PORT", base)}
	}
	c := &topClient{context: context.Background(), base: strings.TrimSuffix(u.String(), "/"), user: o.user}
	transport := &http.Transport{MaxIdleConnsPerHost: 2, TLSHandshakeTimeout: askTimeout}
	switch {
	case o.ca != "":
		transport.TLSClientConfig, err = trustOnly(o.ca)
	case pinned != "":
		transport.TLSClientConfig, err = trustExactly(pinned)
	}
	if err != nil {
		return nil, err
	}
	c.http = &http.Client{Transport: transport, Timeout: askTimeout}
	if o.user != "" {
		c.password, err = o.password()
	}
	return c, err
}

// password comes from the file, or from whoever sits there.
func (o *topSettings) password() (string, error) {
	if o.passwordFile != "" {
		return password.File(o.passwordFile)
	}
	word, err := password.Ask(o.stdin, o.stderr, fmt.Sprintf("Password of %s: ", o.user))
	if errors.Is(err, password.ErrNoTerminal) {
		return "", usageError{errors.New("--user: the password cannot be asked for, because standard input is no terminal; use --password-file")}
	}
	return word, err
}

// trustOnly trusts the authorities in a file.
func trustOnly(name string) (*tls.Config, error) {
	pool, err := tlsfiles.ReadPool(name)
	if err != nil {
		return nil, err
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// trustExactly trusts the certificate in the sensor's own file, whatever names it is for: that file is why it is asked.
func trustExactly(name string) (*tls.Config, error) {
	own, err := tlsfiles.ReadCertificate(name)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection compares the whole certificate instead
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, own) {
				return fmt.Errorf("the certificate is not that of %s; check whether the sensor was started with another one", name)
			}
			return nil
		},
	}, nil
}

// ask gets all that top shows; v says which peers, in which order.
func (c *topClient) ask(ctx context.Context, sort string, desc bool, find string) (*topAnswer, error) {
	a := &topAnswer{}
	fields := url.Values{"sort": {sort}, "order": {"asc"}}
	if desc {
		fields.Set("order", "desc")
	}
	if find != "" {
		fields.Set("q", find)
	}
	var peers health.PeersAnswer
	var problems health.ProblemsAnswer
	for path, to := range map[string]any{"status": &a.status, "peers?" + fields.Encode(): &peers, "problems": &problems} {
		if err := c.get(ctx, path, to); err != nil {
			return nil, err
		}
	}
	a.peers, a.problems = peers.Peers, problems.Problems
	return a, nil
}

// get decodes one answer.
func (c *topClient) get(ctx context.Context, path string, to any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1/"+path, nil)
	if err != nil {
		return fmt.Errorf("ask the sensor: %w", err)
	}
	if c.user != "" {
		r.SetBasicAuth(c.user, c.password)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if isRefused(err) {
			return fmt.Errorf("ask the sensor: %w; check that it runs, with [http] in its file or with --http", err)
		}
		return fmt.Errorf("ask the sensor: %w", err)
	}
	defer resp.Body.Close() // it was read as far as wanted
	body := io.LimitReader(resp.Body, maxAnswer)
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		if c.user == "" {
			return errors.New("ask the sensor: it requires a password; use --user")
		}
		return fmt.Errorf("ask the sensor: it rejects this name and password (%s)", c.user)
	default:
		text, _ := io.ReadAll(io.LimitReader(body, 300)) // what there is
		return fmt.Errorf("ask the sensor: %s: %s", resp.Status, printable.Text(strings.TrimSpace(string(text))))
	}
	if err := json.NewDecoder(body).Decode(to); err != nil {
		return fmt.Errorf("ask the sensor: read answer to %s: %w", path, err)
	}
	return nil
}

// isRefused tells that nobody listens there.
func isRefused(err error) bool {
	op := (*net.OpError)(nil)
	return errors.As(err, &op) && op.Op == "dial"
}
