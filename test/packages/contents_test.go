//go:build unix

package packages

import (
	"debug/elf"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// installed lists what each package must have, with owner and mode.
var installed = map[string]map[string]string{
	"rpcapd": {
		"/usr/sbin/rpcapd":                                  "root:root 755",
		"/etc/rpcapd":                                       "root:root 755",
		"/usr/share/rpcapd/rpcapd.ini":                      "root:root 644",
		"/usr/lib/systemd/system/rpcapd.service":            "root:root 644",
		"/usr/lib/systemd/system/rpcapd@.service":           "root:root 644",
		"/usr/lib/systemd/system-preset/80-rpcapd.preset":   "root:root 644",
		"/usr/lib/sysusers.d/rpcapd.conf":                   "root:root 644",
		"/usr/lib/tmpfiles.d/rpcapd.conf":                   "root:root 644",
		"/usr/share/man/man8/rpcapd.8.gz":                   "root:root 644",
		"/usr/share/man/man8/rpcapd-check.8.gz":             "root:root 644",
		"/usr/share/man/man8/rpcapd-interfaces.8.gz":        "root:root 644",
		"/usr/share/man/man8/rpcapd-passwd.8.gz":            "root:root 644",
		"/usr/share/man/man8/rpcapd-status.8.gz":            "root:root 644",
		"/usr/share/man/man8/rpcapd-version.8.gz":           "root:root 644",
		"/usr/share/man/man5/rpcapd.ini.5.gz":               "root:root 644",
		"/usr/share/bash-completion/completions/rpcapd":     "root:root 644",
		"/usr/share/fish/vendor_completions.d/rpcapd.fish":  "root:root 644",
		"/usr/share/doc/rpcapd/README.md":                   "root:root 644",
		"/usr/share/doc/rpcapd/OPERATIONS.md":               "root:root 644",
		"/usr/share/doc/rpcapd/changelog.gz":                "root:root 644",
		"/usr/share/doc/rpcapd/THIRD-PARTY.gz":              "root:root 644",
		"/usr/share/doc/rpcapd/examples/limits.conf":        "root:root 644",
		"/usr/share/doc/rpcapd/examples/two-interfaces.ini": "root:root 644",
	},
	"rpcap-sensor": {
		"/usr/bin/rpcap-sensor":                               "root:root 755",
		"/etc/rpcap-sensor":                                   "root:root 755",
		"/usr/share/rpcap-sensor/rpcap-sensor.ini":            "root:root 644",
		"/usr/lib/systemd/system/rpcap-sensor.service":        "root:root 644",
		"/usr/lib/systemd/system/rpcap-sensor@.service":       "root:root 644",
		"/usr/lib/sysusers.d/rpcap-sensor.conf":               "root:root 644",
		"/usr/lib/tmpfiles.d/rpcap-sensor.conf":               "root:root 644",
		"/usr/share/man/man8/rpcap-sensor.8.gz":               "root:root 644",
		"/usr/share/man/man8/rpcap-sensor-check.8.gz":         "root:root 644",
		"/usr/share/man/man5/rpcap-sensor.ini.5.gz":           "root:root 644",
		"/usr/share/bash-completion/completions/rpcap-sensor": "root:root 644",
		"/usr/share/doc/rpcap-sensor/README.md":               "root:root 644",
		"/usr/share/doc/rpcap-sensor/SENSOR.md":               "root:root 644",
		"/usr/share/doc/rpcap-sensor/examples/tap.conf":       "root:root 644",
		"/usr/share/doc/rpcap-sensor/examples/rules.yml":      "root:root 644",
	},
}

// compare checks that a list has what is wanted, and nothing that anybody may write or
// that runs as its owner.
func compare(t *testing.T, format string, got map[string]entry, want map[string]string) {
	t.Helper()
	for name, as := range want {
		e, found := got[name]
		if !found {
			t.Errorf("%s: %s is missing", format, name)
		} else if e.String() != as {
			t.Errorf("%s: %s is %s, want %s", format, name, e, as)
		}
	}
	for name, e := range got {
		if e.mode&0o6022 != 0 {
			t.Errorf("%s: %s is %s", format, name, e)
		}
	}
}

// reference is a link or a picture of Markdown.
var reference = regexp.MustCompile(`\]\(([^)\s#]+)(#[^)\s]*)?\)`)

// links checks that every link of the documents in a package leads to a file of that package, and none is lost.
func links(t *testing.T, format string, files map[string]entry) {
	t.Helper()
	documents, found := 0, 0
	for name, e := range files {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		documents++
		for _, m := range reference.FindAllStringSubmatch(e.data, -1) {
			if strings.Contains(m[1], ":") {
				continue
			}
			found++
			if to := path.Join(path.Dir(name), m[1]); files[to].data == "" {
				t.Errorf("%s: %s refers to %s, which is not there", format, name, to)
			}
		}
	}
	if documents < 6 || found < 20 {
		t.Errorf("%s: %d documents with %d links", format, documents, found)
	}
}

func TestContentsOfDeb(t *testing.T) {
	for program, must := range installed {
		path := deb(t, program, newVersion)
		files := debFiles(t, path)
		compare(t, "deb", files, must)
		links(t, "deb", files)
		ini := program + "/" + program + ".ini"
		if files["/usr/share/"+ini].data != text(t, "packaging/ini/"+program+".ini") { // the program carries the same
			t.Errorf("deb: /usr/share/%s is not the shipped one", ini)
		}
		for name, as := range map[string]string{
			"/usr/share/zsh/vendor-completions/_" + program:      "root:root 644",
			"/usr/share/doc/" + program + "/copyright":           "root:root 644",
			"/usr/share/doc/" + program + "/changelog.Debian.gz": ": 644",
			"/usr/share/lintian/overrides/" + program:            "root:root 644",
		} {
			if got := files[name]; got.String() != as {
				t.Errorf("deb: %s is %q, want %s", name, got, as)
			}
		}
		for name, e := range files {
			if strings.HasPrefix(name, "/etc/") && !e.dir && name != "/etc/init.d/rpcapd" {
				t.Errorf("deb: %s would be a conffile", name)
			}
		}
		control := debControl(t, path)
		want := map[string]string{"rpcapd": "/etc/init.d/rpcapd"}[program] // which nobody's program edits
		if got := strings.TrimSpace(control["/conffiles"].data); got != want {
			t.Errorf("deb of %s has conffiles: %s", program, got)
		}
		for _, script := range []string{"/postinst", "/prerm", "/postrm"} {
			if e := control[script]; e.mode != 0o755 || !strings.HasPrefix(e.data, "#!/bin/sh\n") {
				t.Errorf("deb of %s: %s is %s", program, script, e)
			}
		}
	}
}

func TestContentsOfApk(t *testing.T) {
	for program, want := range installed {
		files := apkFiles(t, file(t, newVersion, program+"_*.apk"))
		compare(t, "apk", files, want)
		links(t, "apk", files)
		name := "/etc/" + program + "/" + program + ".ini"
		if got := files[name].String(); got != "root:"+program+" 640" {
			t.Errorf("apk: %s is %s", name, got)
		}
	}
}

func TestContentsOfTar(t *testing.T) {
	for program, want := range installed {
		path := file(t, newVersion, program+"-*-linux-*.tar.gz")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files := readTar(t, strings.NewReader(string(unpack(t, "x.gz", data))))
		stripped := make(map[string]entry)
		prefix := "/" + strings.TrimSuffix(filepath.Base(path), ".tar.gz")
		for name, e := range files {
			if !strings.HasPrefix(name, prefix) {
				t.Errorf("tar: %s is not below %s", name, prefix)
			}
			stripped[strings.TrimPrefix(name, prefix)] = e
		}
		shared := make(map[string]string)
		for name, as := range want {
			if !strings.HasPrefix(name, "/etc/") { // unpacking over a system must not replace a configuration
				shared[name] = as
			}
		}
		compare(t, "tar", stripped, shared)
		links(t, "tar", stripped)
	}
}

// TestContentsOfRpm asks rpm itself.
func TestContentsOfRpm(t *testing.T) {
	if !everything {
		t.Skip("builds rpms: make test-packages, or make test-full")
	}
	if _, err := exec.LookPath("rpm"); err != nil {
		if os.Getenv("TEST_PACKAGES") == "1" {
			t.Fatal("TEST_PACKAGES=1 needs rpm")
		}
		t.Skip("needs rpm to look into an rpm")
	}
	for program, want := range installed {
		out, err := exec.Command("rpm", "-qp", "--nosignature", "--qf", `[%{FILENAMES} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEMODES:octal} %{FILEFLAGS:fflags}\n]`, rpm(t, program, newVersion)).Output()
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		flags := make(map[string]string)
		for line := range strings.Lines(string(out)) {
			f := strings.Fields(line)
			got[f[0]] = f[1] + " " + f[2][len(f[2])-3:]
			if len(f) > 3 {
				flags[f[0]] = f[3]
			}
		}
		for name, as := range want {
			if got[name] != as {
				t.Errorf("rpm: %s is %q, want %s", name, got[name], as)
			}
		}
		name := "/etc/" + program + "/" + program + ".ini"
		if got[name] != "root:"+program+" 640" || flags[name] != "cn" {
			t.Errorf("rpm: %s is %s with flags %s, want %%config(noreplace)", name, got[name], flags[name])
		}
		if flags["/usr/share/man/man8/"+program+".8.gz"] != "d" {
			t.Error("rpm: manual pages are not marked as documents")
		}
	}
}

// TestBinaries: static, stripped, and of the version that the package has.
func TestBinaries(t *testing.T) {
	for program, path := range map[string]string{"rpcapd": "/usr/sbin/rpcapd", "rpcap-sensor": "/usr/bin/rpcap-sensor"} {
		name := filepath.Join(t.TempDir(), program)
		if err := os.WriteFile(name, []byte(debFiles(t, deb(t, program, newVersion))[path].data), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := elf.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 {
			t.Errorf("%s needs %v, %v", program, libs, err)
		}
		if f.Section(".symtab") != nil {
			t.Errorf("%s has a symbol table", program)
		}
		out, err := exec.Command(name, "version").Output()
		if err != nil || !strings.HasPrefix(string(out), program+" "+newVersion+" ") {
			t.Errorf("%s: %s%v", program, out, err)
		}
	}
}
