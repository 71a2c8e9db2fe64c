package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"rpcapd/doctor"
)

// Unit looks at a unit of systemd, if systemd runs here and knows it.
func Unit(ctx context.Context, name string) doctor.Result {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return doctor.NotChecked("systemd does not run here")
	}
	out, err := exec.CommandContext(ctx, "systemctl", "show", name, "--property=LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts").Output()
	if err != nil {
		return doctor.NotChecked("systemctl show %s: %v", name, err)
	}
	return unitResult(name, string(out))
}

// unitResult judges what systemctl shows.
func unitResult(name, shown string) doctor.Result {
	p := make(map[string]string)
	for line := range strings.Lines(shown) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		p[key] = value
	}
	seen := fmt.Sprintf("%s is %s (%s), %s", name, p["ActiveState"], p["SubState"], p["UnitFileState"])
	switch {
	case p["LoadState"] == "not-found":
		return doctor.NotChecked("there is no unit %s", name)
	case p["LoadState"] == "masked":
		return doctor.Warning(name+" is masked", "it cannot be started", "systemctl unmask "+name)
	case p["ActiveState"] == "failed":
		return doctor.Failed(seen+", result "+p["Result"], "the service does not run", fmt.Sprintf("journalctl -u %s -n 20 says why; then systemctl restart %s", name, name))
	case p["ActiveState"] == "activating" && p["SubState"] == "auto-restart":
		return doctor.Failed(fmt.Sprintf("%s, restarted %s times", seen, p["NRestarts"]), "the service ends again and again", fmt.Sprintf("journalctl -u %s -n 20", name))
	case p["ActiveState"] == "inactive":
		return doctor.Warning(seen, "the service does not run", "systemctl enable --now "+name)
	case p["UnitFileState"] == "disabled":
		return doctor.Warning(seen, "it runs, but not after the next boot", "systemctl enable "+name)
	}
	return doctor.OK("%s", seen)
}
