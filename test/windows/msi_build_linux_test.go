package windows

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Versions of the installer: an upgrade goes from the first to the second.
const (
	oldVersion = "1.2.3"
	newVersion = "1.2.4"
)

// Exit codes of msiexec, of which wine passes on the lowest 8 bits.
const (
	msiDone    = 0
	msiRefused = 1603 % 256
)

// buildMSI makes the installer and the zip of the agent as make package does, and returns their folder.
func buildMSI(t *testing.T, version string, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "run", "-buildvcs=false", "./packaging/build", "-o", dir, "-version", version, "-programs", "rpcapd", "-formats", "msi,zip", "-arches", "amd64")
	cmd.Dir = repository(t)
	cmd.Env = append(append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make package: %v\n%s", err, out)
	}
	return dir
}

func msiOf(version string) string { return "rpcapd-" + version + "-windows-amd64.msi" }

// copyFile puts a file into a folder that a machine shows.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// installers is a folder with both versions.
func installers(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, version := range []string{oldVersion, newVersion} {
		copyFile(t, filepath.Join(buildMSI(t, version), msiOf(version)), filepath.Join(dir, version+".msi"))
	}
	return dir
}

// msiexec runs Windows Installer. Its own quotation marks do not survive wine's, so a batch file has them.
func (m *machine) msiexec(args string) int {
	m.t.Helper()
	m.write(`C:\install.bat`, "msiexec "+args+" /qn\r\nexit %errorlevel%\r\n")
	_, code := m.run("/", "cmd", "/c", `C:\install.bat`)
	return code
}

func (m *machine) wants(code int, args string) {
	m.t.Helper()
	if got := m.msiexec(args); got != code {
		m.t.Fatalf("msiexec %s: exit code %d, want %d", args, got, code)
	}
}

// files lists what is there of the agent, by names below drive C:.
func (m *machine) files() (list []string) {
	for _, folder := range []string{`C:\Program Files\rpcapd`, `C:\ProgramData\rpcapd`} {
		root := m.unix(folder)
		_ = filepath.Walk(root, func(path string, info os.FileInfo, err error) error { // a folder that is missing has no files
			if err == nil && !info.IsDir() {
				rel, _ := filepath.Rel(m.unix(`C:\`), path)
				list = append(list, rel)
			}
			return nil
		})
	}
	return list
}

// stayOn runs a program until the end of the test: without one, wine stops the services some seconds after the last program.
func (m *machine) stayOn() {
	m.t.Helper()
	m.share(programs(m.t), "/keep")
	m.write(`C:\keep\rpcapd.ini`, "ActiveClient = 127.0.0.1, 1\r\nNullAuthPermit = YES\r\n")
	m.start("/", `Z:\keep\rpcapd.exe`, "-f", `C:\keep\rpcapd.ini`, "--run-dir", `C:\keep\run`)
}
