package windows

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestToolsAreMissing: what cannot be done without a tool, or without one of two files, is told with the cure.
func TestToolsAreMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := CheckTools(); err == nil || !strings.Contains(err.Error(), "wixl is not installed (Debian, Ubuntu: apt-get install wixl msitools, or make deps as root)") {
		t.Error(err)
	}
	for _, x := range []struct{ cert, key, want string }{
		{"", "", ""},
		{"c.pem", "", "give both, or none"},
		{"", "k.pem", "give both, or none"},
		{"c.pem", "k.pem", "osslsigncode is not installed"},
	} {
		t.Setenv("SIGN_CERT", x.cert)
		t.Setenv("SIGN_KEY", x.key)
		s, err := NewSigner(time.Unix(0, 0))
		if x.want == "" && (s != nil || err != nil) || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%+v: %v, %v", x, s, err)
		}
	}
	var none *Signer
	if err := none.Sign(os.DevNull, ""); err != nil {
		t.Errorf("without a certificate: %v", err)
	}
}
