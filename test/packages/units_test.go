//go:build unix

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const unitFolder = "packaging/systemd/"

// lines are the settings of a unit.
func lines(unit string) (list []string) {
	for line := range strings.Lines(unit) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

// TestInstanceIsLikeTheService: an instance differs in its names only.
func TestInstanceIsLikeTheService(t *testing.T) {
	for _, program := range []string{"rpcapd", "rpcap-sensor"} {
		instance := strings.NewReplacer(
			", configuration %i", "", "/"+program+"/%i.ini", "/"+program+"/"+program+".ini", program+"-%i", program,
		).Replace(text(t, unitFolder+program+"@.service"))
		a, b := lines(text(t, unitFolder+program+".service")), lines(instance)
		if !slices.Equal(a, b) {
			t.Errorf("the units differ:\n%s\n\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
		}
	}
}

// TestUnitGivesOneCapability: the agent may capture, and nothing else.
func TestUnitGivesOneCapability(t *testing.T) {
	list := lines(text(t, unitFolder+"rpcapd.service"))
	for _, want := range []string{"Type=notify", "User=rpcapd", "AmbientCapabilities=CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_RAW", "ExecReload=/usr/sbin/rpcapd reload", "Restart=always", "NoNewPrivileges=yes", "MemoryDenyWriteExecute=yes"} {
		if !slices.Contains(list, want) {
			t.Errorf("%s is missing", want)
		}
	}
}

// TestExposure: systemd counts it without a boot. 1.8 is what was promised for the agent.
func TestExposure(t *testing.T) {
	for unit, most := range map[string]float64{"rpcapd.service": 1.8, "rpcapd@.service": 1.8, "rpcap-sensor.service": 1.8, "rpcap-sensor@.service": 1.8} {
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", filepath.Join(repository, unitFolder, unit)).CombinedOutput()
		_, rest, found := strings.Cut(string(out), "Overall exposure level for ")
		_, rest, _ = strings.Cut(rest, ": ")
		if !found {
			t.Skipf("needs systemd-analyze that reads units without a boot (252): %v", err)
		}
		score, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		if err != nil || score > most {
			t.Errorf("%s: exposure %s, want at most %v", unit, strings.TrimSpace(rest), most)
		}
	}
}

// TestUnitsForOldSystemd: Debian 12 has systemd 252, which warns at each reload of what it does not know.
func TestUnitsForOldSystemd(t *testing.T) {
	later := []string{ // systemd.service(5), systemd.exec(5) and systemd.unit(5), "Added in version 253" to 259
		"RestartSteps", "RestartMaxDelaySec", "RestartMode", "MemoryKSM", "MemoryPressureWatch", "MemoryPressureThresholdSec",
		"OpenFile", "RootEphemeral", "ImportCredential", "SurviveFinalKillSignal", "CoredumpReceive", "MemoryZSwapWriteback",
		"PrivatePIDs", "ProtectControlGroupsEx", "PrivateBPF", "ExecReloadPost", "ExtraFileDescriptors", "RefreshOnReload",
	}
	units, err := filepath.Glob(filepath.Join(repository, "packaging/systemd/*.service"))
	if err != nil || len(units) < 4 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	for _, unit := range units {
		data, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if name, _, found := strings.Cut(line, "="); found && slices.Contains(later, name) {
				t.Errorf("%s: %s", filepath.Base(unit), strings.TrimSpace(line))
			}
		}
	}
}
