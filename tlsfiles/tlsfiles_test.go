package tlsfiles

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// write writes a new certificate and its key to a folder.
func write(t *testing.T, dir string, serial int64) Files {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "sensor"}, DNSNames: []string{"sensor"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	f := Files{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for name, block := range map[string]*pem.Block{f.Certificate: {Type: "CERTIFICATE", Bytes: der}, f.Key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// serial is that of the certificate which the next handshake shows.
func serial(t *testing.T, c *Config) int64 {
	t.Helper()
	conf, err := c.Server().GetConfigForClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	return conf.Certificates[0].Leaf.SerialNumber.Int64()
}

// TestRenewed: files are looked for at most once a second. Those that cannot be used leave the old ones, and are told of
// once.
func TestRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var told []error
		files := write(t, dir, 1)
		c, err := Open(files, func(err error) { told = append(told, err) })
		if err != nil {
			t.Fatal(err)
		}
		step := func(what string, want int64, times int, failed bool) {
			t.Helper()
			for range 3 {
				if got := serial(t, c); got != want {
					t.Errorf("%s: certificate %d instead of %d", what, got, want)
				}
				time.Sleep(interval)
			}
			if len(told) != times || times > 0 && (told[times-1] != nil) != failed {
				t.Fatalf("%s: told %d times instead of %d: %v", what, len(told), times, told)
			}
		}
		step("the first", 1, 0, false)
		if err := os.WriteFile(files.Certificate, []byte("rubbish"), 0o600); err != nil {
			t.Fatal(err)
		}
		step("rubbish", 1, 1, true)
		serial(t, c) // looked
		write(t, dir, 2)
		if got := serial(t, c); got != 1 {
			t.Error("the files are looked at for each handshake")
		}
		time.Sleep(interval)
		step("renewed", 2, 2, false)
		if err := os.Remove(files.Key); err != nil {
			t.Fatal(err)
		}
		step("without its key", 2, 3, true)
	})
}

// TestServerAndClient: the two sides of a connection, with a certificate on both.
func TestServerAndClient(t *testing.T) {
	own := write(t, t.TempDir(), 1)
	own.CA, own.ClientCA, own.Protocols = own.Certificate, own.Certificate, []string{"udpstr/1"}
	c, err := Open(own, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !c.AsksClients() {
		t.Error("clients are not asked")
	}
	if got := c.Client("elsewhere").ServerName; got != "elsewhere" {
		t.Errorf("the host that is dialed: %q", got)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", c.Server())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			defer conn.Close()
			err = conn.(*tls.Conn).Handshake()
		}
		done <- err
	}()
	conn, err := tls.Dial("tcp", l.Addr().String(), c.Client("sensor"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if st := conn.ConnectionState(); st.NegotiatedProtocol != "udpstr/1" || st.Version != tls.VersionTLS13 {
		t.Errorf("%+v", st)
	}
}

// TestErrors: each names its file.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	good := write(t, dir, 1)
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, make([]byte, maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	for _, tc := range []struct {
		files Files
		want  string
	}{
		{Files{Certificate: missing, Key: good.Key}, missing},
		{Files{Certificate: good.Certificate, Key: missing}, missing},
		{Files{Certificate: good.Key, Key: good.Key}, good.Key},
		{Files{ClientCA: missing}, missing},
		{Files{ClientCA: large}, large + " is larger than 4 MiB"},
		{Files{CA: good.Key}, good.Key + " has no certificate in PEM format"},
	} {
		_, err := Open(tc.files, nil)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v", tc.files, err)
		}
		if strings.Contains(tc.want, "missing") && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
	}
	if _, err := ReadCertificate(good.Key); err == nil || !strings.Contains(err.Error(), good.Key) {
		t.Errorf("a key is no certificate: %v", err)
	}
	if der, err := ReadCertificate(good.Certificate); err != nil || len(der) == 0 {
		t.Error(err)
	}
}
