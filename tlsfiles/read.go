package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxSize bounds a file; the certificates of all authorities that browsers know are 250 KiB.
const maxSize = 4 << 20

// Read reads a PEM file of at most 4 MiB. Its errors name the file.
func Read(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // nothing was written
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSize {
		return nil, fmt.Errorf("%s is larger than %d MiB", name, maxSize>>20)
	}
	return text, nil
}

// readPair reads a certificate and its key.
func readPair(certificate, key string) (tls.Certificate, error) {
	certificateText, err := Read(certificate)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read certificate: %w", err)
	}
	keyText, err := Read(key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read key of certificate %s: %w", certificate, err)
	}
	pair, err := tls.X509KeyPair(certificateText, keyText)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("read certificate %s and key %s: %w", certificate, key, err)
	}
	return pair, nil
}

// ReadPool reads the certificates of authorities, at least one. Its errors name the file.
func ReadPool(name string) (*x509.CertPool, error) {
	text, err := Read(name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, noCertificate(name)
	}
	return pool, nil
}

// ReadCertificate reads the first certificate of a file, in DER format. Its errors name the file.
func ReadCertificate(name string) ([]byte, error) {
	text, err := Read(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, noCertificate(name)
	}
	return block.Bytes, nil
}

func noCertificate(name string) error {
	return errors.New(name + " has no certificate in PEM format")
}
