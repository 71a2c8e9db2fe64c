package pcapoverip

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/tlsfiles"
)

// authority signs certificates for one test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate
	next int64
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), next: 2}
	a.key = a.newKey()
	a.cert = a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}, nil, &a.key.PublicKey)
	a.file = a.write(name+".pem", "CERTIFICATE", a.cert.Raw)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) sign(c, parent *x509.Certificate, public *ecdsa.PublicKey) *x509.Certificate {
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

func (a *authority) write(name, kind string, der []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue writes a certificate and its key, over those of the same name.
func (a *authority) issue(name string) (cert, key string) {
	k := a.newKey()
	a.next++
	c := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &k.PublicKey)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".crt", "CERTIFICATE", c.Raw), a.write(name+".key", "PRIVATE KEY", der)
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func (a *authority) options() Options {
	cert, key := a.issue("sensor.example")
	return Options{TLS: &tlsfiles.Files{Certificate: cert, Key: key}}
}

func TestTLSClient(t *testing.T) {
	ca := newAuthority(t, "authority")
	s := start(t, ca.options())
	f := s.attach("web", "eth0", 1)
	c, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: ca.pool(), ServerName: "sensor.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ch := collect(c)
	if _, err := io.WriteString(c, "agents=web\n"); err != nil {
		t.Fatal(err)
	}
	s.streaming(1)
	p := ethernet(1, 80, 1500)
	f.Frame(p)
	s.stop()
	compare(t, "TLS", await(t, "TLS", ch).records, []record{recordOf("web/eth0", 1, p)}) // ends with close_notify
	if _, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: ca.pool(), ServerName: "sensor.example"}); err == nil {
		t.Error("it listens after its end")
	}
}

// TestStoppedTLSClient must not hold up the end of the sensor.
func TestStoppedTLSClient(t *testing.T) {
	ca := newAuthority(t, "authority")
	s := start(t, ca.options())
	f := s.attach("web", "eth0", 1)
	c, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: ca.pool(), ServerName: "sensor.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s.streaming(1)
	for i := range uint32(20000) {
		f.Frame(ethernet(i, 80, 1500))
	}
	s.stop() // checks the time
}

func TestTLSVersions(t *testing.T) {
	ca := newAuthority(t, "authority")
	s := start(t, ca.options())
	for version, good := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: ca.pool(), ServerName: "sensor.example", MinVersion: tls.VersionTLS10, MaxVersion: version})
		if (err == nil) != good {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

func TestClientCertificates(t *testing.T) {
	ca, stranger := newAuthority(t, "authority"), newAuthority(t, "stranger")
	o := ca.options()
	o.TLS.ClientCA = ca.file
	s := start(t, o)
	try := func(cert, key string) error {
		conf := &tls.Config{RootCAs: ca.pool(), ServerName: "sensor.example"}
		if cert != "" {
			pair, err := tls.LoadX509KeyPair(cert, key)
			if err != nil {
				t.Fatal(err)
			}
			conf.Certificates = []tls.Certificate{pair}
		}
		c, err := tls.Dial("tcp", s.address(), conf)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = io.ReadFull(c, make([]byte, 8)) // TLS 1.3 refuses after the client's part
		if err == nil {
			if st := s.Status(); len(st.Parts) != 1 || !strings.Contains(st.Parts[0].Details[2].Text, "CN=analyst") {
				t.Errorf("status %+v", st.Parts)
			}
		}
		return err
	}
	if err := try(ca.issue("analyst")); err != nil {
		t.Errorf("a good certificate: %v", err)
	}
	if err := try("", ""); err == nil {
		t.Error("no certificate: let in")
	}
	if err := try(stranger.issue("analyst")); err == nil {
		t.Error("a stranger's certificate: let in")
	}
	s.streaming(0)
}

// TestRenewedCertificate replaces the files under a running sink, first by rubbish.
func TestRenewedCertificate(t *testing.T) {
	ca := newAuthority(t, "authority")
	o := ca.options()
	core, logs := observer.New(zap.InfoLevel)
	o.Log = zap.New(core)
	s := start(t, o)
	serial := func() int64 {
		c, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: ca.pool(), ServerName: "sensor.example"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	first := serial()
	if err := os.WriteFile(o.TLS.Certificate, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log tells of rubbish", func() bool {
		if n := serial(); n != first {
			t.Errorf("rubbish: certificate %d instead of %d", n, first)
		}
		return logs.FilterMessageSnippet("old ones stay").Len() == 1
	})
	ca.issue("sensor.example")
	eventually(t, "the renewed certificate is in use", func() bool { return serial() == first+1 })
	if n := logs.FilterMessage("TLS files reloaded").Len(); n != 1 {
		t.Errorf("%d times: %v", n, logs.All())
	}
}

func TestPlainTextToTLSPort(t *testing.T) {
	ca := newAuthority(t, "authority")
	core, logs := observer.New(zap.InfoLevel)
	o := ca.options()
	o.Log = zap.New(core)
	s := start(t, o)
	c := dial(t, s.address())
	if _, err := io.WriteString(c, "filter=tcp\n"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(c)
	eventually(t, "the log tells", func() bool {
		all := logs.FilterMessageSnippet("TLS handshake failed").All()
		return len(all) == 1 && strings.Contains(all[0].ContextMap()["error"].(string), "does not use TLS")
	})
}

// TestSilentConnections opens more than may be in a handshake; a client comes in all the same.
func TestSilentConnections(t *testing.T) {
	ca := newAuthority(t, "authority")
	s := start(t, ca.options())
	for range 3 * maxPending {
		dial(t, s.address())
	}
	eventually(t, "the oldest were closed", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.refused >= 2*maxPending && len(s.pending) == maxPending
	})
	c, err := tls.Dial("tcp", s.address(), &tls.Config{RootCAs: ca.pool(), ServerName: "sensor.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s.streaming(1)
}

// TestOpenSSL has openssl s_client fetch the stream, with a certificate of its own.
func TestOpenSSL(t *testing.T) {
	needTool(t, "openssl")
	ca := newAuthority(t, "authority")
	o := ca.options()
	o.TLS.ClientCA = ca.file
	s := start(t, o)
	f := s.attach("web", "eth0", 1)
	cert, key := ca.issue("analyst")
	request, hold := io.Pipe() // its standard input stays open
	defer hold.Close()
	p := launch(t, request, "openssl", "s_client", "-connect", s.address(), "-quiet", "-verify_return_error",
		"-CAfile", ca.file, "-servername", "sensor.example", "-verify_hostname", "sensor.example", "-cert", cert, "-key", key)
	s.streaming(1)
	var want []record
	for i := range uint32(1000) {
		q := ethernet(i, 80, 60+int(i))
		f.Frame(q)
		want = append(want, recordOf("web/eth0", 1, q))
	}
	s.stop()
	_ = hold.Close()
	_ = p.Wait() // its status depends on its version
	b := p.out.Bytes()
	at := bytes.Index(b, []byte{0x0a, 0x0d, 0x0d, 0x0a})
	if at < 0 {
		t.Fatalf("openssl has no stream: %.500q", b)
	}
	got, _, err := readNg(bytes.NewReader(b[at:]))
	if err != nil {
		t.Error(err)
	}
	compare(t, "openssl", got, want)
}
