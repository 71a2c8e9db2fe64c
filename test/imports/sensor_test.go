package imports

import (
	"slices"
	"strings"
	"testing"
)

// insideSensor lists, for each package of the sensor, the others that it may import. Lowest first: what is below does not know
// what is above, and one output does not know another.
var insideSensor = map[string][]string{
	"sensor/address":    {},
	"sensor/chunks":     {},
	"sensor/tcpdump":    {},
	"sensor/sink":       {"sensor/address", "sensor/chunks", "sensor/tcpdump"},
	"sensor/files":      {"sensor/address", "sensor/chunks", "sensor/sink", "sensor/tcpdump"},
	"sensor/pcapoverip": {"sensor/address", "sensor/sink", "sensor/tcpdump"},
	"sensor/tap":        {"sensor/address", "sensor/chunks", "sensor/sink", "sensor/tcpdump"},
	"sensor":            {"sensor/address", "sensor/sink", "sensor/tcpdump"},
	"sensor/health":     {"sensor", "sensor/address", "sensor/sink", "sensor/tcpdump"},
}

// upward are the imports of one package of the sensor that insideSensor forbids; its tests obey too.
func upward(from string, imports []string) (list []string) {
	for _, imp := range imports {
		to := strings.TrimPrefix(imp, module)
		if top(imp) == "sensor" && to != from && !slices.Contains(insideSensor[from], to) {
			list = append(list, to)
		}
	}
	return list
}

func TestSensorImportRule(t *testing.T) {
	for _, system := range systems {
		checked := 0
		for _, p := range packages(t, system) {
			from := strings.TrimPrefix(p.ImportPath, module)
			if top(p.ImportPath) != "sensor" {
				continue
			}
			if _, known := insideSensor[from]; !known {
				t.Errorf("%s is not in insideSensor: say what it may import of the sensor", from)
				continue
			}
			checked++
			for _, to := range upward(from, slices.Concat(p.Imports, p.TestImports, p.XTestImports)) {
				t.Errorf("%s (%s) imports %s: of the sensor it may import only %q", from, system, to, insideSensor[from])
			}
		}
		if checked != len(insideSensor) {
			t.Errorf("%s: %d of the %d packages of insideSensor found", system, checked, len(insideSensor))
		}
	}
}

// TestSensorRuleBites names what the rule forbids.
func TestSensorRuleBites(t *testing.T) {
	outputs := []string{"sensor/files", "sensor/pcapoverip", "sensor/tap"}
	forbidden := map[string][]string{
		"sensor/address": append([]string{"sensor", "sensor/health", "sensor/sink", "sensor/tcpdump"}, outputs...),
		"sensor/chunks":  append([]string{"sensor", "sensor/health", "sensor/sink", "sensor/tcpdump", "sensor/address"}, outputs...),
		"sensor/tcpdump": append([]string{"sensor", "sensor/health", "sensor/sink", "sensor/address"}, outputs...),
		"sensor/sink":    append([]string{"sensor", "sensor/health"}, outputs...),
		"sensor":         append([]string{"sensor/health"}, outputs...),
		"sensor/health":  outputs,
	}
	for _, from := range outputs {
		forbidden[from] = append([]string{"sensor", "sensor/health"}, outputs...)
	}
	for from, list := range forbidden {
		for _, to := range list {
			if from != to && len(upward(from, []string{module + to})) == 0 {
				t.Errorf("%s may import %s", from, to)
			}
		}
	}
	for from, to := range map[string]string{"sensor/files": "sensor/sink", "sensor/sink": "sensor/tcpdump", "sensor/health": "sensor"} {
		if bad := upward(from, []string{module + to}); bad != nil {
			t.Errorf("%s may not import %q", from, bad)
		}
	}
}
