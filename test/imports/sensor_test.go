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
	"sensor/oncelog":    {},
	"sensor/tcpdump":    {},
	"sensor/sink":       {"sensor/address", "sensor/chunks", "sensor/tcpdump"},
	"sensor/status":     {"sensor/sink"},
	"sensor/rule":       {"sensor/address", "sensor/tcpdump"},
	"sensor/files":      {"sensor/address", "sensor/chunks", "sensor/sink", "sensor/tcpdump"},
	"sensor/pcapoverip": {"sensor/address", "sensor/sink", "sensor/tcpdump"},
	"sensor/tap":        {"sensor/address", "sensor/chunks", "sensor/sink", "sensor/tcpdump"},
	"sensor/health":     {"sensor/address", "sensor/sink", "sensor/status", "sensor/tcpdump"},
	"sensor/receive":    {"sensor/address", "sensor/oncelog", "sensor/sink", "sensor/status"},
	"sensor/control":    {"sensor/address", "sensor/oncelog", "sensor/rule", "sensor/sink", "sensor/status"},
	"sensor":            {"sensor/control", "sensor/receive", "sensor/rule", "sensor/sink", "sensor/status", "sensor/tcpdump"},
}

// testsOf lists what only the tests of a package may import besides. Those of the health server look at a real sensor, those of
// the sensor at the reason why a port cannot be opened.
var testsOf = map[string][]string{
	"sensor":        {"sensor/address"},
	"sensor/health": {"sensor"},
}

// upward are the imports of one package of the sensor that the rule forbids.
func upward(from string, imports, also []string) (list []string) {
	for _, imp := range imports {
		to := strings.TrimPrefix(imp, module)
		if top(imp) == "sensor" && to != from && !slices.Contains(insideSensor[from], to) && !slices.Contains(also, to) {
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
			bad := append(upward(from, p.Imports, nil), upward(from, slices.Concat(p.TestImports, p.XTestImports), testsOf[from])...)
			for _, to := range bad {
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
	leaves := []string{"sensor/address", "sensor/chunks", "sensor/oncelog", "sensor/tcpdump"}
	outputs := []string{"sensor/files", "sensor/pcapoverip", "sensor/tap"}
	above := slices.Concat([]string{"sensor", "sensor/control", "sensor/health", "sensor/receive", "sensor/rule", "sensor/status"}, outputs)
	forbidden := map[string][]string{
		"sensor/address": slices.Concat(above, leaves, []string{"sensor/sink"}),
		"sensor/chunks":  slices.Concat(above, leaves, []string{"sensor/sink"}),
		"sensor/tcpdump": slices.Concat(above, leaves, []string{"sensor/sink"}),
		"sensor/sink":    above,
		"sensor/rule":    slices.Concat(above, []string{"sensor/chunks", "sensor/sink"}),
		"sensor/receive": append([]string{"sensor", "sensor/control", "sensor/health", "sensor/rule"}, outputs...),
		"sensor/control": append([]string{"sensor", "sensor/chunks", "sensor/health", "sensor/receive", "sensor/tcpdump"}, outputs...),
		"sensor/status":  slices.Concat(above, leaves),
		"sensor/health":  append([]string{"sensor", "sensor/control", "sensor/receive"}, outputs...),
		"sensor":         append([]string{"sensor/address", "sensor/health", "sensor/oncelog"}, outputs...),
	}
	for _, from := range outputs {
		forbidden[from] = above
	}
	for from, list := range forbidden {
		for _, to := range list {
			if from != to && len(upward(from, []string{module + to}, nil)) == 0 {
				t.Errorf("%s may import %s", from, to)
			}
		}
	}
	for from, to := range map[string]string{"sensor/files": "sensor/sink", "sensor/sink": "sensor/tcpdump", "sensor/health": "sensor/status"} {
		if bad := upward(from, []string{module + to}, nil); bad != nil {
			t.Errorf("%s may not import %q", from, bad)
		}
	}
	if len(upward("sensor/health", []string{module + "sensor"}, testsOf["sensor/health"])) != 0 {
		t.Error("the tests of the health server may not import the sensor")
	}
}
