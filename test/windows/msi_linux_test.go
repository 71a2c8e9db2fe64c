package windows

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rpcapd/test/harness"
)

// Where the installer puts things.
const (
	installedAgent = `C:\Program Files\rpcapd\rpcapd.exe`
	installedIni   = `C:\ProgramData\rpcapd\rpcapd.ini`
)

// TestRootMSI: a whole life of an installation, from properties that are refused to a removal that leaves the ini alone.
func TestRootMSI(t *testing.T) {
	system(t) // skips before anything is built
	harness.Tool(t, "wixl")
	harness.Tool(t, "msibuild")
	harness.Tool(t, "tcpdump")
	shared := installers(t)
	broken := filepath.Join(shared, "line.msi") // no batch file can have a line break in a property
	copyFile(t, filepath.Join(shared, oldVersion+".msi"), broken)
	query := "INSERT INTO `Property` (`Property`, `Value`) VALUES ('INTERFACE', 'eth0\nNullAuthPermit = YES')"
	if out, err := exec.Command("msibuild", broken, "-q", query).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	s := newStage(t)
	sen := s.startSensor("[rule lab]\nFilter = ether proto 0x88b5\n")
	m := newMachine(t, s.host)
	m.share(shared, "/msi")
	m.stayOn()

	m.refuses()
	m.wants(msiDone, `/i Z:\msi\`+oldVersion+`.msi SENSOR_HOST=`+sensorV4+` SENSOR_PORT=2003 INTERFACE=eth0`)
	if text := m.read(installedIni); !strings.Contains(text, "\nActiveClient = "+sensorV4+", 2003, ifname=eth0\n") {
		t.Fatalf("the ini lacks the sensor:\n%s", text)
	}
	sen.Says("forwarding starts", 1)
	want := s.numbered(0, 200)
	s.send(want)
	sameFrames(t, "the service", sen.has(len(want)), want)
	if text := m.must("/", installedAgent, "service", "status"); !strings.Contains(text, "running") || !strings.Contains(text, `NT AUTHORITY\LocalService`) {
		t.Errorf("service status:\n%s", text)
	}

	edited := m.read(installedIni) + "\r\n# edited\r\nMaxSnaplen = 1000\r\n"
	m.write(installedIni, edited)
	m.wants(msiDone, `/i Z:\msi\`+newVersion+`.msi SENSOR_HOST=192.0.2.99`)
	m.is(newVersion, edited)
	sen.Says("forwarding starts", 2)

	m.wants(msiRefused, `/i Z:\msi\`+oldVersion+`.msi`)
	m.is(newVersion, edited)

	m.must("/", "net", "stop", "rpcapd")
	m.write(installedAgent, "damaged")
	if err := os.Remove(m.unix(`C:\Program Files\rpcapd\README.md`)); err != nil {
		t.Fatal(err)
	}
	m.wants(msiDone, `/i Z:\msi\`+newVersion+`.msi REINSTALL=ALL REINSTALLMODE=amus`) // wine's /fa does nothing
	m.is(newVersion, edited)
	m.read(`C:\Program Files\rpcapd\README.md`)
	sen.Says("forwarding starts", 3)

	m.wants(msiDone, `/x Z:\msi\`+newVersion+`.msi`)
	if left := m.files(); !slices.Equal(left, []string{"ProgramData/rpcapd/rpcapd.ini"}) || m.read(installedIni) != edited {
		t.Errorf("left: %q", left)
	}
	if _, code := m.run("/", "sc", "query", "rpcapd"); code == 0 {
		t.Error("the service is still there")
	}
}

// refuses tries properties that cannot be meant so. Nothing is installed then.
func (m *machine) refuses() {
	m.t.Helper()
	const old = `/i Z:\msi\` + oldVersion + `.msi `
	for _, args := range []string{
		`/i Z:\msi\line.msi SENSOR_HOST=10.0.0.5`, old + `SENSOR_HOST="10.0.0.5;10.0.0.6"`, old + `SENSOR_HOST=a INTERFACE="e""th0"`,
		old + `SENSOR_HOST=a SENSOR_PORT=70000`, old + `SENSOR_HOST=a CIDR="10.0.0.0/8,x"`, old + `INTERFACE=eth0`,
	} {
		m.wants(msiRefused, args)
		if found := m.files(); len(found) > 0 {
			m.t.Errorf("msiexec %s: %q", args, found)
		}
	}
}

// is checks which version is installed, and that the ini is the one that was edited.
func (m *machine) is(version, ini string) {
	m.t.Helper()
	if text := m.must("/", installedAgent, "version"); !strings.Contains(text, version) {
		m.t.Errorf("version %s is wanted: %s", version, text)
	}
	if text := m.read(installedIni); text != ini {
		m.t.Errorf("the ini has changed:\n%s", text)
	}
}

// TestRootMSITakesOver: an installation of the C agent becomes one of this agent, with its sensor and its options. What an operator has
// chosen for the service stays in an upgrade.
func TestRootMSITakesOver(t *testing.T) {
	system(t)
	harness.Tool(t, "wixl")
	harness.Tool(t, "msibuild")
	shared := installers(t)
	m := newMachine(t, newStage(t).host)
	m.share(shared, "/msi")
	m.stayOn()
	const oldIni = `C:\Program Files\rpcapd\rpcapd.ini`
	m.write(oldIni, "ActiveClient = 10.7.7.7, 2005, ifname=eth0\r\nNullAuthPermit = YES\r\n")
	m.must("/", "sc", "create", "rpcapd", "binPath=", `C:\Program Files\rpcapd\rpcapd.exe -v -d -L -f C:\Program Files\rpcapd\rpcapd.ini -t 1400 -m 64 -z 32M`, "start=", "auto")
	m.wants(msiDone, `/i Z:\msi\`+oldVersion+`.msi SERVICE_START=demand SERVICE_ACCOUNT=LocalSystem`)
	if text := m.read(installedIni); !strings.Contains(text, "ActiveClient = 10.7.7.7, 2005, ifname=eth0\n") {
		t.Errorf("the sensor is not taken over:\n%s", text)
	}
	const options = "RPCAPD_OPTIONS=\"-t 1400 -z 32M\"\n"
	for _, version := range []string{oldVersion, newVersion} {
		if version == newVersion {
			m.wants(msiDone, `/i Z:\msi\`+version+`.msi`)
		}
		text, _ := m.run("/", installedAgent, "service", "status") // its exit code says that it does not run
		for _, want := range []string{"stopped", "by hand", "LocalSystem", "service run -f", "-t 1400 -z 32M  (C:"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing:\n%s", version, want, text)
			}
		}
	}
	m.wants(msiDone, `/x Z:\msi\`+newVersion+`.msi`)
	if left := m.files(); !slices.Equal(left, []string{"Program Files/rpcapd/rpcapd.ini", "ProgramData/rpcapd/rpcapd.ini", "ProgramData/rpcapd/rpcapd.ini.extrahop", "ProgramData/rpcapd/rpcapd.options"}) {
		t.Errorf("left: %q", left)
	}
	if text := m.read(`C:\ProgramData\rpcapd\rpcapd.options`); text != options {
		t.Errorf("options:\n%s", text)
	}
}
