package main

import (
	"bytes"
	_ "embed" // of the page
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
)

// Files at the top of the repository, which hosts fetch once.
const (
	keyName     = "rpcapd.asc"
	sourcesName = "rpcapd.sources"
	repoName    = "rpcapd.repo"
)

// checkKey refuses a key that hosts of this repository do not know: they would refuse everything from then on.
func (r *repository) checkKey() error {
	text, err := os.ReadFile(r.path(keyName))
	if errors.Is(err, fs.ErrNotExist) || r.newKey {
		return nil
	}
	if err != nil {
		return err
	}
	ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(text))
	if err != nil || len(ring) == 0 {
		return fmt.Errorf("read %s: %w", r.path(keyName), err)
	}
	if old := fmt.Sprintf("%X", ring[0].PrimaryKey.Fingerprint); old != r.key.fingerprint() {
		return fmt.Errorf("%s was signed by %s, and REPO_KEY is %s: hosts would refuse it. Sign with the old key, or call this with -new-key and give %s to all hosts",
			r.out, old, r.key.fingerprint(), keyName)
	}
	return nil
}

func (r *repository) publishKey() error {
	text, err := r.key.public()
	if err != nil {
		return err
	}
	if bytes.Contains(text, []byte("PRIVATE KEY")) {
		return errors.New("publish the key: it is the secret one") // never so, and never to be found out by others
	}
	return replace(r.path(keyName), text)
}

//go:embed index.html
var page string

// pages writes what hosts fetch to use the repository, and the page that says how.
func (r *repository) pages(debs []deb, rpms []rpmPackage) error {
	data := struct {
		Address, Fingerprint, Suite, Keyring string
		Debs, RPMs                           []listed
	}{Address: r.address, Fingerprint: r.key.fingerprint(), Suite: suite, Keyring: "/etc/apt/keyrings/" + keyName}
	for _, d := range debs {
		data.Debs = append(data.Debs, listed{d.name, d.version, d.arch, "apt/" + d.file})
	}
	for _, p := range rpms {
		data.RPMs = append(data.RPMs, listed{p.header.text(tagName), p.header.text(tagVersion), p.header.text(tagArch), "rpm/" + p.file})
	}
	t, err := template.New("index.html").Parse(page)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return err
	}
	fill := strings.NewReplacer("@ADDRESS@", r.address, "@SUITE@", suite, "@COMPONENT@", component, "@KEYRING@", data.Keyring, "@KEY@", keyName)
	for name, text := range map[string]string{sourcesName: aptSource, repoName: rpmSource, "index.html": b.String()} {
		if err := replace(r.path(name), []byte(fill.Replace(text))); err != nil {
			return err
		}
	}
	return nil
}

// listed is a line of the page.
type listed struct{ Name, Version, Arch, File string }

// aptSource is sources.list(5), for apt 1.1 and newer.
const aptSource = `# rpcapd and rpcap-sensor: @ADDRESS@/
Types: deb
URIs: @ADDRESS@/apt
Suites: @SUITE@
Components: @COMPONENT@
Signed-By: @KEYRING@
`

// rpmSource is for dnf, yum and zypper: both the lists and the packages must be signed.
const rpmSource = `# rpcapd and rpcap-sensor: @ADDRESS@/
[rpcapd]
name=rpcapd and rpcap-sensor
baseurl=@ADDRESS@/rpm
enabled=1
gpgcheck=1
repo_gpgcheck=1
gpgkey=@ADDRESS@/@KEY@
`
