package packages

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// site is a repository on a web server of its own.
type site struct {
	t   *testing.T
	dir string // what the server shows
	url string
	key string
}

// newSite serves an empty folder on the loopback.
func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return &site{t: t, dir: dir, url: server.URL, key: throwAwayKey(t)}
}

// throwAwayKey makes a key that nobody has after the test.
func throwAwayKey(t *testing.T) string {
	t.Helper()
	config := &packet.Config{RSABits: 3072, Time: func() time.Time { return time.Now().AddDate(-1, 0, 0) }} // some tests sign in the past
	e, err := openpgp.NewEntity("Test", "", "test@example.com", config)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := e.SerializePrivateWithoutSigning(&b, config); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "secret.gpg")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// publish does what make repo does, with the packages of a version, or with none.
func (s *site) publish(version string, env ...string) {
	s.t.Helper()
	packages := s.t.TempDir()
	if version != "" {
		packages = forRepository(s.t, version)
	}
	cmd := exec.Command("go", "run", "-buildvcs=false", "./packaging/repo", "-packages", packages)
	cmd.Dir = repository
	cmd.Env = append(os.Environ(), append([]string{"REPO_KEY=" + s.key, "REPO_URL=" + s.url, "REPO_OUT=" + s.dir}, env...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("make repo: %v\n%s", err, out)
	}
}

// get fetches a file as a user does.
func (s *site) get(name string) string {
	s.t.Helper()
	resp, err := http.Get(s.url + "/" + name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", name, resp.Status, err)
	}
	return string(text)
}

// tamper changes a byte of the files that match, and returns what puts them back.
func (s *site) tamper(pattern string) (restore func()) {
	s.t.Helper()
	list, err := filepath.Glob(filepath.Join(s.dir, pattern))
	if err != nil || len(list) == 0 {
		s.t.Fatal(pattern, list, err)
	}
	old := make(map[string][]byte)
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		old[path] = data
		changed := bytes.Clone(data)
		changed[len(changed)/2] ^= 1
		if err := os.WriteFile(path, changed, 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	return func() {
		for path, data := range old {
			if err := os.WriteFile(path, data, 0o644); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

var forRepositories sync.Mutex

// forRepository returns a folder with deb and rpm of the agent, of one version.
func forRepository(t *testing.T, version string) string {
	t.Helper()
	forRepositories.Lock()
	defer forRepositories.Unlock()
	dir := filepath.Join(builds.root, "repository-"+version)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := build(dir, version, "-programs", "rpcapd", "-formats", "deb,rpm"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// longAgo is a time of signatures that have expired since.
func longAgo() string {
	return "SOURCE_DATE_EPOCH=" + strconv.FormatInt(time.Now().AddDate(0, 0, -100).Unix(), 10)
}

// refuses runs a command that must fail, and give the reason.
func (s *system) refuses(what, command string, reasons ...string) {
	s.t.Helper()
	out, code := s.try(command)
	said := false
	for _, r := range reasons {
		said = said || strings.Contains(out, r)
	}
	if code == 0 || !said {
		s.t.Errorf("%s: status %d, and none of %q in\n%s", what, code, reasons, out)
	}
}

// addSource makes the system use the repository and no other, with the lines of the page.
func (s *system) addSource(from *site) {
	s.t.Helper()
	s.run("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*")
	s.write("/etc/apt/keyrings/rpcapd.asc", from.get("rpcapd.asc"), 0o644)
	s.write("/etc/apt/sources.list.d/rpcapd.sources", from.get("rpcapd.sources"), 0o644)
}

const aptInstall = "apt-get clean; apt-get -y install rpcapd"

// TestRepoApt: apt installs from the repository, unattended upgrades take the next version, and a change of the configuration
// stays.
func TestRepoApt(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		from := newSite(t)
		from.publish(oldVersion)
		s := newSystem(t, suite, "unattended-upgrades")
		s.addSource(from)
		s.wants("apt-get update", "InRelease")
		s.run(aptInstall)
		s.wants("rpcapd version", oldVersion)
		s.edit(ini, edited)

		from.publish(newVersion)
		s.run("apt-get update")
		s.wants("apt-cache madison rpcapd", oldVersion, newVersion)
		s.write("/etc/apt/apt.conf.d/50unattended-upgrades", "Unattended-Upgrade::Allow-downgrade \"false\";\n", 0o644)
		if out := s.run("unattended-upgrade --dry-run -v 2>&1"); strings.Contains(out, "upgraded: rpcapd") {
			t.Errorf("an origin that nobody allowed is used:\n%s", out)
		}
		s.write("/etc/apt/apt.conf.d/51rpcapd", pattern(t), 0o644)
		s.wants("unattended-upgrade --dry-run -v 2>&1", "rpcapd")
		s.run("unattended-upgrade -v")
		s.wants("rpcapd version", newVersion)
		if got := s.read(ini); got != edited {
			t.Errorf("after an unattended upgrade the ini is\n%s", got)
		}
		s.run("apt-get -y --allow-downgrades install rpcapd=" + oldVersion + "-1")
		s.wants("rpcapd version", oldVersion)
	})
}

// pattern is what the documentation tells to write.
func pattern(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(text(t, "docs/REPOSITORY.md")) {
		if strings.HasPrefix(line, "Unattended-Upgrade::Origins-Pattern") {
			return line
		}
	}
	t.Fatal("docs/REPOSITORY.md has no pattern for unattended upgrades")
	return ""
}

// TestRepoAptRefuses: what the key did not sign, or what is too old, is not installed.
func TestRepoAptRefuses(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		from := newSite(t)
		from.publish(newVersion)
		s := newSystem(t, suite, "unattended-upgrades")
		s.addSource(from)
		const update = "rm -rf /var/lib/apt/lists/*; apt-get update"

		restore := from.tamper("apt/dists/stable/InRelease")
		s.refuses("a changed InRelease", update, "not signed", "signature")
		s.refuses("an installation from it", aptInstall, "Unable to locate package")
		restore()

		restore = from.tamper("apt/dists/stable/main/binary-*/by-hash/SHA256/*")
		s.refuses("changed lists", update, "Hash Sum mismatch", "unexpected size", "Hash mismatch")
		restore()

		other := newSite(t)
		other.publish(newVersion)
		s.write("/etc/apt/keyrings/rpcapd.asc", other.get("rpcapd.asc"), 0o644)
		s.refuses("another key", update, "not signed", "NO_PUBKEY", "Missing key")
		s.write("/etc/apt/keyrings/rpcapd.asc", from.get("rpcapd.asc"), 0o644)

		from.publish("", longAgo())
		s.refuses("expired lists", update, "expired")
		from.publish("")
		s.run(update)

		restore = from.tamper("apt/pool/rpcapd/*.deb")
		s.refuses("a changed package", aptInstall, "Hash Sum mismatch", "unexpected size")
		restore()
		if s.exists("/usr/sbin/rpcapd") {
			t.Error("something of it was installed")
		}
		s.run(aptInstall)
	})
}

// dnf installs into a folder, as in a Red Hat system that has nothing but what the scripts need.
const dnf = "dnf --installroot=/srv/root --setopt=reposdir=/etc/yum.repos.d --setopt=tsflags=noscripts --setopt=cachedir=/var/cache/dnf --releasever=9 -y --refresh "

// TestRepoDnf: dnf checks the signatures of lists and packages, installs and upgrades.
func TestRepoDnf(t *testing.T) {
	full(t)
	from := newSite(t)
	from.publish(oldVersion)
	s := newSystem(t, rpmBase, "dnf", "rpm")
	s.run("mkdir -p /srv/root /etc/yum.repos.d; rm -f /etc/yum.repos.d/*")
	s.put(baseRpm(t), "/root/base.rpm")
	s.run(dnf + "install /root/base.rpm")
	s.write("/etc/yum.repos.d/rpcapd.repo", from.get("rpcapd.repo"), 0o644)

	restore := from.tamper("rpm/repodata/repomd.xml")
	s.refuses("a changed repomd.xml", dnf+"install rpcapd", "signature verification error", "GPG", "parse")
	restore()
	restore = from.tamper("rpm/repodata/*-primary.xml.gz")
	s.refuses("a changed list", dnf+"install rpcapd", "checksum")
	restore()
	restore = from.tamper("rpm/packages/*.rpm")
	s.refuses("a changed package", dnf+"install rpcapd", "checksum", "Checksum")
	restore()

	s.run(dnf + "install rpcapd")
	s.wants("rpm --root /srv/root -q rpcapd", "rpcapd-"+oldVersion)
	from.publish(newVersion)
	s.run(dnf + "upgrade")
	s.wants("rpm --root /srv/root -q rpcapd", "rpcapd-"+newVersion)
	if !s.exists("/srv/root/usr/sbin/rpcapd") {
		t.Error("the program is not there")
	}

	// rpm itself, with the key and without.
	s.write("/root/rpcapd.asc", from.get("rpcapd.asc"), 0o644)
	s.put(one(t, filepath.Join(from.dir, "rpm/packages/*"+newVersion+"*.rpm")), "/root/signed.rpm")
	s.refuses("without the key", "rpmkeys --define '_dbpath /srv/none' -K /root/signed.rpm", "NOKEY", "NOT OK")
	s.run("rpmkeys --define '_dbpath /srv/keys' --import /root/rpcapd.asc")
	s.wants("rpmkeys --define '_dbpath /srv/keys' -K -v /root/signed.rpm", "Header V4 RSA/SHA512 Signature", ": OK")
	s.put(one(t, filepath.Join(forRepository(t, newVersion), "*.rpm")), "/root/unsigned.rpm")
	if out := s.run("rpmkeys --define '_dbpath /srv/keys' -K -v /root/unsigned.rpm"); strings.Contains(out, "Signature") {
		t.Errorf("make package has signed:\n%s", out)
	}

	other := newSite(t)
	other.publish(newVersion)
	s.write("/etc/yum.repos.d/rpcapd.repo", strings.Replace(from.get("rpcapd.repo"), "gpgkey="+from.url, "gpgkey="+other.url, 1), 0o644)
	s.run("rm -rf /srv/root /var/cache/dnf; mkdir -p /srv/root")
	s.run("dnf --disablerepo='*' --installroot=/srv/root --setopt=reposdir=/etc/none --setopt=tsflags=noscripts --releasever=9 -y install /root/base.rpm")
	s.refuses("another key", dnf+"install rpcapd", "signature verification error", "GPG")
}

// one is the file that matches.
func one(t *testing.T, glob string) string {
	t.Helper()
	list, err := filepath.Glob(glob)
	if err != nil || len(list) != 1 {
		t.Fatal(glob, list, err)
	}
	return list[0]
}

// baseRpm has what the packages need of a system.
func baseRpm(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "nfpm.yaml")
	const text = "name: base\narch: all\nversion: 1\nprovides: [/usr/sbin/useradd, /bin/sh]\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "base.rpm")
	cmd := exec.Command("go", "tool", "nfpm", "package", "-f", config, "-p", "rpm", "-t", out)
	cmd.Dir = repository
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}
