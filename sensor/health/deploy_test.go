package health

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rpcapd/sensor/sink"
)

// gathered are the names and labels that a sensor exports on which everything is in use.
func gathered(t *testing.T) map[string][]string {
	t.Helper()
	f := newFake()
	tr := newTracker(f, "test", time.Now())
	newRack(tr, f, 8)
	number := uint64(7)
	f.sinks[0].Details = []sink.Detail{
		{Name: "files", Numeric: true, Number: number}, {Name: "bytes written", Numeric: true, Number: number, Total: true}, {Name: "path", Text: "/x"},
	}
	tr.step(time.Now().Add(stepTime))
	families, err := tr.registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string][]string)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if !slices.Contains(names[family.GetName()], l.GetName()) {
					names[family.GetName()] = append(names[family.GetName()], l.GetName())
				}
			}
		}
		if names[family.GetName()] == nil {
			names[family.GetName()] = []string{}
		}
	}
	return names
}

// TestMetricsThatOthersUse: each metric in the alerts, their tests, the dashboard and the manual is exported, and has the
// labels that are asked for.
func TestMetricsThatOthersUse(t *testing.T) {
	names := gathered(t)
	used := regexp.MustCompile(`\b(rpcap_sensor_[a-z_]+)(\{[^}]*\})?`)
	label := regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*\\?["']`)
	for _, file := range []string{
		"../../deploy/prometheus/rules.yml", "../../deploy/prometheus/rules_test.yml", "../../deploy/grafana/dashboard.json", "../../docs/SENSOR.md",
	} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		uses := used.FindAllStringSubmatch(string(b), -1)
		if len(uses) < 10 {
			t.Errorf("%s: only %d metrics found", file, len(uses))
		}
		for _, u := range uses {
			labels, ok := names[u[1]]
			if !ok {
				t.Errorf("%s uses %s, which is not exported", file, u[1])
				continue
			}
			for _, l := range label.FindAllStringSubmatch(u[2], -1) {
				if !slices.Contains(append(labels, "instance", "job"), l[1]) {
					t.Errorf("%s: %s has no label %s", file, u[1], l[1])
				}
			}
		}
	}
	manual, err := os.ReadFile("../../docs/SENSOR.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range names {
		if strings.HasPrefix(name, "rpcap_sensor_") && !strings.Contains(string(manual), name) {
			t.Errorf("docs/SENSOR.md does not explain %s", name)
		}
	}
}

// TestDashboard: Grafana reads it, no two panels lie on each other, and each has something to show.
func TestDashboard(t *testing.T) {
	b, err := os.ReadFile("../../deploy/grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title, UID string
		Panels     []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	taken := make(map[[2]int]string)
	ids := make(map[int]bool)
	for _, p := range d.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.Type != "row" && (len(p.Targets) == 0 || p.Targets[0].Expr == "") {
			t.Errorf("panel %d %q cannot be shown", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if taken[at] != "" {
					t.Fatalf("%q lies on %q", p.Title, taken[at])
				}
				taken[at] = p.Title
			}
		}
	}
	if d.Title == "" || d.UID == "" || len(d.Panels) < 10 {
		t.Errorf("%q %q, %d panels", d.Title, d.UID, len(d.Panels))
	}
}
