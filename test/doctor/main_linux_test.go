package doctor

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

func TestMain(m *testing.M) { netlab.Main(m) }

// result and report are the JSON form, as programs of users read it.
type result struct {
	Check, Subject string
	State          state `json:"result"`
	Seen           string
	Means          string
	Cure           string
}

type state string

const (
	ok         state = "ok"
	warning    state = "warning"
	failed     state = "failed"
	notChecked state = "not checked"
)

type report struct {
	Results []result
	Summary struct{ OK, Warnings, Failed int }
}

// way is an agent's host with a cable to a sensor's.
type way struct {
	host, far *netlab.Namespace
	sensor    *harness.Running // nil: none runs
}

const sensorAddress = "10.2.0.3"

func newWay(t *testing.T) *way {
	t.Helper()
	lab := netlab.New(t)
	w := &way{host: lab.Namespace("host"), far: lab.Namespace("sensor")}
	lab.Veth(w.host, "eth0", w.far, "eth0")
	w.host.AddAddr("eth0", "10.2.0.2/24")
	w.far.AddAddr("eth0", sensorAddress+"/24")
	return w
}

// start runs a sensor with these options.
func (w *way) start(t *testing.T, args ...string) *harness.Running {
	t.Helper()
	w.sensor = harness.StartIn(t, w.far, nil, harness.Program(t, "rpcap-sensor"), args...)
	w.sensor.Says("waiting for agents", 1)
	return w.sensor
}

// rules loads rules of nftables on the sensor's host; without nft the test is skipped.
func (w *way) rules(t *testing.T, rule string) {
	t.Helper()
	harness.Tool(t, "nft")
	if err := w.far.NFT("table inet t {\n chain c {\n type filter hook input priority 0;\n " + rule + "\n }\n}\n"); err != nil {
		t.Fatal(err)
	}
}

// examined is the outcome of a run.
type examined struct {
	text   string
	report report
	code   int
}

// doctorOf runs doctor twice on the agent's host, for people and for programs.
func (w *way) doctorOf(t *testing.T, prepare func(*netlab.Cmd), args ...string) (x examined) {
	t.Helper()
	args = append([]string{"doctor"}, args...)
	run := func(args ...string) (out string, code int) {
		cmd := w.host.Command(harness.Program(t, "rpcapd"), args...)
		if prepare != nil {
			prepare(cmd)
		}
		b, err := cmd.Output()
		if exit := (*exec.ExitError)(nil); err != nil {
			if !errors.As(err, &exit) {
				t.Fatal(err)
			}
			code = exit.ExitCode()
		}
		return string(b), code
	}
	x.text, x.code = run(args...)
	out, code := run(append(args, "--json")...)
	if code != x.code {
		t.Errorf("exit status %d, with --json %d", x.code, code)
	}
	if err := json.Unmarshal([]byte(out), &x.report); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return x
}

// worst is the worst result of a check.
func (x *examined) worst(t *testing.T, check string) result {
	t.Helper()
	var worst *result
	rank := map[state]int{notChecked: 0, ok: 1, warning: 2, failed: 3}
	for i := range x.report.Results {
		if r := &x.report.Results[i]; r.Check == check && (worst == nil || rank[r.State] > rank[worst.State]) {
			worst = r
		}
	}
	if worst == nil {
		t.Fatalf("no result of %s:\n%s", check, x.text)
	}
	return *worst
}

// want checks the state of a check, and words of what it says.
func (x *examined) want(t *testing.T, check string, want state, words ...string) {
	t.Helper()
	r := x.worst(t, check)
	if r.State != want {
		t.Errorf("%s is %s, want %s: %+v", check, r.State, want, r)
	}
	if want == failed && (r.Cure == "" || r.Means == "") {
		t.Errorf("%s: no cure, or no meaning: %+v", check, r)
	}
	for _, word := range words {
		if !strings.Contains(r.Seen+"\n"+r.Means+"\n"+r.Cure, word) {
			t.Errorf("%s does not say %q: %+v", check, word, r)
		}
	}
}
