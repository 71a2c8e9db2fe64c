package windows

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/xml"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"
)

// upgradeCode is that of every msi of the agent, of all versions and architectures, for ever.
const upgradeCode = "{A1D24C3E-0C2E-4B0B-9B39-6A3F0C2B7E00}"

//go:embed rpcapd.wxs tables/*.idt
var sources embed.FS

// platforms are the architectures of Go in the words of Windows Installer.
var platforms = map[string]string{"amd64": "x64", "arm64": "Arm64"}

// MSI is one installer of the agent.
type MSI struct {
	Program
	GOARCH   string
	Homepage string
	Exe      string
	Files    []File // beside the program; the first stands for all of them in a repair
	Time     time.Time
}

// CheckTools says what is missing to build an msi, and how to get it.
func CheckTools() error {
	for _, tool := range []string{"wixl", "msibuild"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed (Debian, Ubuntu: apt-get install wixl msitools, or make deps as root)", tool)
		}
	}
	return nil
}

// Build writes the installer. It is the same, byte for byte, for the same input.
func (m *MSI) Build(out string) error {
	platform := platforms[m.GOARCH]
	if platform == "" {
		return fmt.Errorf("build msi: Windows Installer has no word for %s", m.GOARCH)
	}
	dir, err := os.MkdirTemp("", "rpcapd-msi")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // nothing in it is wanted any more
	sum, err := m.lay(dir)
	if err != nil {
		return fmt.Errorf("build msi: %w", err)
	}
	if err := m.expandAll(dir, sum); err != nil {
		return fmt.Errorf("build msi: %w", err)
	}
	// wixl 0.101 of Debian 12 has no word for arm64; the tables are the same.
	if err := runIn(dir, "wixl", "-a", "x64", "-o", "made.msi", "rpcapd.wxs"); err != nil {
		return fmt.Errorf("build msi: %w", err)
	}
	made := filepath.Join(dir, "made.msi")
	if err := m.complete(made, platform+";1033", uuid(sum+"package")); err != nil {
		return fmt.Errorf("build msi: %w", err)
	}
	if err := setTimes(made, m.Time); err != nil {
		return fmt.Errorf("build msi: %w", err)
	}
	data, err := os.ReadFile(made)
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// lay copies the files to where wixl looks for them, with one time, and returns the sum of all that the msi consists of.
func (m *MSI) lay(dir string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, m.Version.Text, m.GOARCH, m.Company, m.Homepage, m.Time.Unix())
	ico, err := Icon()
	if err != nil {
		return "", err
	}
	h.Write(ico)
	if err := os.WriteFile(filepath.Join(dir, "rpcapd.ico"), ico, 0o644); err != nil {
		return "", err
	}
	list, err := sources.ReadDir("tables")
	if err != nil {
		return "", err
	}
	for _, e := range list {
		text, err := sources.ReadFile("tables/" + e.Name())
		if err != nil {
			return "", err
		}
		h.Write(text)
	}
	for _, f := range append([]File{{m.Exe, "rpcapd.exe"}}, m.Files...) {
		to := filepath.Join(dir, f.Name)
		if err := copySummed(h, f.Source, to); err != nil {
			return "", err
		}
		if err := os.Chtimes(to, m.Time, m.Time); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

func copySummed(h hash.Hash, from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	fmt.Fprintln(h, filepath.Base(to), len(data))
	h.Write(data)
	return os.WriteFile(to, data, 0o644)
}

// expandAll writes the sources with the values put in.
func (m *MSI) expandAll(dir, sum string) error {
	values := struct {
		*MSI
		ProductCode, UpgradeCode string
		Documents                []string
	}{MSI: m, ProductCode: "{" + uuid(sum+"product") + "}", UpgradeCode: upgradeCode}
	for _, f := range m.Files {
		values.Documents = append(values.Documents, f.Name)
	}
	all, err := template.New("").Funcs(template.FuncMap{"xml": escapeXML}).Option("missingkey=error").ParseFS(sources, "rpcapd.wxs", "tables/*.idt")
	if err != nil {
		return err
	}
	for _, t := range all.Templates() {
		var b bytes.Buffer
		if err := t.Execute(&b, values); err != nil {
			return err
		}
		text := b.Bytes()
		if strings.HasSuffix(t.Name(), ".idt") {
			text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		}
		if err := os.WriteFile(filepath.Join(dir, t.Name()), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func escapeXML(text string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(text))
	return b.String(), err
}

// complete replaces the tables of wixl by those that are here, and sets what identifies the package.
func (m *MSI) complete(made, template, code string) error {
	tables, err := filepath.Glob(filepath.Join(filepath.Dir(made), "*.idt"))
	if err != nil || len(tables) == 0 {
		return fmt.Errorf("find tables: none (%v)", err)
	}
	slices.Sort(tables)
	args := append([]string{made, "-i"}, tables...)
	args = append(append(args, "-q"), m.queries()...)
	args = append(args, "-s", "rpcapd "+m.Version.Text, m.Company, template, "{"+code+"}") // last: msibuild skips an argument after these
	return run("msibuild", args...)
}

// Properties that the command line may set go to the part of the installation that runs as an administrator only if they are
// in SecureCustomProperties; and so must those that a search sets, or the same search would find what was just installed.
var secure = []string{
	"SENSOR_HOST", "SENSOR_PORT", "INTERFACE", "CIDR", "SERVICE_START", "SERVICE_ACCOUNT",
	"INI_FOUND", "OLD_INI_FOUND", "SERVICE_WAS_START", "SERVICE_WAS_ACCOUNT", "WINDOWS_MAJOR", "OLDER_FOUND", "NEWER_FOUND",
}

// queries are what a table as text cannot say: values that depend on the build, or have a line break.
func (m *MSI) queries() []string {
	list := []string{
		// A repair and an upgrade write the program whatever the version of the one that is there: the C agent's is higher.
		property("REINSTALLMODE", "amus"),
		property("SecureCustomProperties", strings.Join(secure, ";")),
		property("SENSOR_PORT", "2003"),
		property("ARPPRODUCTICON", "rpcapd.ico"),
		property("ARPCOMMENTS", "rpcapd "+m.Version.Text+", packet forwarding agent"),
		property("ARPURLINFOABOUT", m.Homepage),
		property("ARPNOMODIFY", "1"), // there is one feature
		property("DefaultUIFont", "Normal"),
		property("ErrorDialog", "ErrorDlg"),
		// For conditions, which cannot write these themselves.
		property("Quote", `"`), property("LineFeed", "\n"), property("Return", "\r"), property("Tab", "\t"),
		// A file with a version is told from others by it, and not by its sum.
		fmt.Sprintf("UPDATE `File` SET `Version` = '%s', `Language` = '1033' WHERE `File` = 'rpcapd.exe'", m.Version.File),
		"DELETE FROM `MsiFileHash` WHERE `File_` = 'rpcapd.exe'",
	}
	return list
}

func property(name, value string) string {
	return fmt.Sprintf("INSERT INTO `Property` (`Property`, `Value`) VALUES ('%s', '%s')", name, strings.ReplaceAll(value, "'", "’"))
}

// uuid makes a code of what identifies something: the same for the same, another for another.
func uuid(of string) string {
	b := sha256.Sum256([]byte(of))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // version 8, as RFC 9562 has it for codes of one's own
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16]))
}

func run(name string, args ...string) error { return runIn("", name, args...) }

// runIn runs a tool; what it says is in the error. The cabinet has local times, so all tools run in UTC.
func runIn(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// setTimes sets when the msi was made and last saved, which the tools take from the clock.
func setTimes(path string, when time.Time) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close() // closed before, if all went well
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	at, err := summaryTimes(data)
	if err != nil {
		return fmt.Errorf("set times: %w", err)
	}
	for _, offset := range at {
		if _, err := f.WriteAt(fileTime(when), int64(offset)); err != nil {
			return err
		}
	}
	return errors.Join(f.Sync(), f.Close())
}
