package windows

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rpcapd/test/harness"
)

// TestRootMSISigned: with a certificate, installer and program are signed, and a changed byte shows.
func TestRootMSISigned(t *testing.T) {
	system(t)
	for _, tool := range []string{"wixl", "msibuild", "osslsigncode"} {
		harness.Tool(t, tool)
	}
	dir := t.TempDir()
	cert, key := throwAway(t, dir)
	built := buildMSI(t, oldVersion, "SIGN_CERT="+cert, "SIGN_KEY="+key)
	msi := filepath.Join(built, msiOf(oldVersion))
	exe := filepath.Join(dir, "rpcapd.exe")
	if err := os.WriteFile(exe, fromZip(t, strings.TrimSuffix(msi, ".msi")+".zip", "rpcapd.exe"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{msi, exe} {
		if out, err := verify(file, cert); err != nil {
			t.Errorf("%s: %v\n%s", filepath.Base(file), err, out)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		changed := filepath.Join(dir, "changed-"+filepath.Base(file))
		if err := os.WriteFile(changed, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := verify(changed, cert); err == nil {
			t.Errorf("%s: a changed byte is not noticed\n%s", filepath.Base(file), out)
		}
	}
	if bom := fromZip(t, strings.TrimSuffix(msi, ".msi")+".zip", "rpcapd.cdx.json"); !bytes.Contains(bom, []byte("pkg:golang/golang.org/x/sys@")) {
		t.Errorf("the list of parts lacks x/sys:\n%s", bom)
	}
	m := newMachine(t, newStage(t).host)
	m.share(built, "/msi")
	m.wants(msiDone, `/i Z:\msi\`+msiOf(oldVersion)+` SENSOR_HOST=10.0.0.5`)
	if !bytes.Equal([]byte(m.read(installedAgent)), fromZip(t, strings.TrimSuffix(msi, ".msi")+".zip", "rpcapd.exe")) {
		t.Error("the installed program is not the signed one")
	}
}

// throwAway makes a certificate that may sign programs, and its key, for this test only.
func throwAway(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Unix(1600000000, 0), NotAfter: time.Now().AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// verify asks osslsigncode. The signature has the time of the commit, so the certificate is looked at as it is now.
func verify(file, cert string) (string, error) {
	out, err := exec.Command("osslsigncode", "verify", "-CAfile", cert, "-in", file).CombinedOutput()
	return string(out), err
}

// fromZip returns one file of a zip.
func fromZip(t *testing.T, path, name string) []byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		if filepath.Base(f.Name) == name {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
	}
	t.Fatalf("%s has no %s", path, name)
	return nil
}
