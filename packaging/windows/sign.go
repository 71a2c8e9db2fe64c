package windows

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// Signer signs exe and msi files as Authenticode has it.
type Signer struct {
	cert, key string
	when      time.Time
}

// NewSigner takes the certificate (PEM, with its chain) and the key from SIGN_CERT and SIGN_KEY. Without them it is nil,
// and signs nothing.
func NewSigner(when time.Time) (*Signer, error) {
	s := &Signer{cert: os.Getenv("SIGN_CERT"), key: os.Getenv("SIGN_KEY"), when: when}
	switch {
	case s.cert == "" && s.key == "":
		return nil, nil
	case s.cert == "" || s.key == "":
		return nil, errors.New("sign: SIGN_CERT and SIGN_KEY name the certificate and its key; give both, or none")
	}
	if _, err := exec.LookPath("osslsigncode"); err != nil {
		return nil, errors.New("sign: osslsigncode is not installed (Debian, Ubuntu: apt-get install osslsigncode)")
	}
	return s, nil
}

// Sign replaces a file by a signed one. The time in the signature is that of the commit, so that the same key gives the
// same bytes. SIGN_TIMESTAMP, the address of a time-stamping authority, adds the authority's word: the signature then
// outlives the certificate, and no two builds are the same.
func (s *Signer) Sign(path, description string) error {
	if s == nil {
		return nil
	}
	args := []string{"sign", "-certs", s.cert, "-key", s.key, "-h", "sha256", "-n", description, "-time", strconv.FormatInt(s.when.Unix(), 10)}
	if url := os.Getenv("SIGN_TIMESTAMP"); url != "" {
		args = append(args, "-ts", url)
	}
	signed := path + ".signed"
	if err := run("osslsigncode", append(args, "-in", path, "-out", signed)...); err != nil {
		return err
	}
	return os.Rename(signed, path)
}
