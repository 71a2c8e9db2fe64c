package system

import (
	"fmt"
	"os"
	"regexp"
	"rpcapd/test/harness"
	"strconv"
	"strings"
	"testing"
)

// capNetRaw is the bit of CAP_NET_RAW in the capability sets of /proc/PID/status.
const capNetRaw = 1 << 13

// procStatus reads lines of /proc/PID/status, and those of each of its threads.
func procStatus(t *testing.T, pid int, keys ...string) map[string]map[string]string {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/task", pid)
	tasks, err := os.ReadDir(dir)
	must(t, err)
	all := make(map[string]map[string]string)
	for _, task := range tasks {
		b, err := os.ReadFile(dir + "/" + task.Name() + "/status")
		if err != nil {
			continue // the thread has ended
		}
		all[task.Name()] = make(map[string]string)
		for _, k := range keys {
			if m := regexp.MustCompile(`(?m)^` + k + `:[ \t]*(.*)$`).FindStringSubmatch(string(b)); m != nil {
				all[task.Name()][k] = m[1]
			}
		}
	}
	return all
}

// TestRootPrivileges looks at the user and the capabilities of each thread of an agent
// that was started by root and captures.
func TestRootPrivileges(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if !severalUsers(t) {
		t.Skip("this user namespace has one user only: nobody else to become")
	}
	sen := startSensor(t, s.sensor)
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	a.capturing(1)
	for thread, st := range procStatus(t, a.Process.Pid, "Uid", "Gid", "Groups", "CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd", "NoNewPrivs") {
		for _, k := range []string{"Uid", "Gid"} {
			for id := range strings.FieldsSeq(st[k]) {
				if id == "0" {
					t.Errorf("thread %s: %s %s", thread, k, st[k])
				}
			}
		}
		if st["Groups"] != "" && strings.Contains(" "+st["Groups"]+" ", " 0 ") {
			t.Errorf("thread %s: groups %s", thread, st["Groups"])
		}
		for k, most := range map[string]uint64{"CapEff": capNetRaw, "CapPrm": capNetRaw, "CapInh": 0, "CapAmb": 0} {
			set, err := strconv.ParseUint(st[k], 16, 64)
			must(t, err)
			if set&^most != 0 || k == "CapEff" && set != capNetRaw {
				t.Errorf("thread %s: %s %x, want %x", thread, k, set, most)
			}
		}
		t.Logf("thread %s: %v", thread, st)
	}
	s.mark(t, markBegin)
	must(t, ping(s.client, clientV4, hostV4, 2, 56))
	s.mark(t, markEnd)
	if p := one(t, sen.end()); p.frames < 6 || p.missing != 0 {
		t.Errorf("without root it forwarded: %+v", p)
	}
	// The interface of a later session, and the files in the run directory, without root.
	if st := a.session(); st.State == "" {
		t.Error("no status file")
	}
}

// severalUsers says whether the user namespace knows more than root.
func severalUsers(t *testing.T) bool {
	t.Helper()
	return manyUsers()
}

func manyUsers() bool {
	b, _ := os.ReadFile("/proc/self/uid_map") // is always there
	f := strings.Fields(string(b))
	return len(f) >= 3 && f[2] != "1"
}

// TestRootStatus compares `rpcapd status` with what it shows.
func TestRootStatus(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	sen := startSensor(t, s.sensor)
	a := startAgent(t, s.host, strings.Join([]string{
		"ActiveClient = " + sensorV4 + ", 2003, ifname=eth0",
		"ActiveClient = " + sensorV4 + ", 2999",
		"ActiveClient = " + sensorV4 + ", 2003, ifname=eth9",
	}, "\n"))
	a.capturing(1)
	must(t, ping(s.client, clientV4, hostV4, 5, 56))
	a.Await("ten frames and more in the status", func() bool {
		st := a.status()
		return len(st.Sessions) == 3 && st.Sessions[0].Total.Packed >= 10 && st.Sessions[1].LastError != ""
	})
	st := a.status()
	if x := st.Sessions[0]; st.PID == 0 || x.State != "capturing" || x.Capture == nil || x.Capture.Interface != "eth0" || x.Connects != 1 {
		t.Errorf("first session: %+v", x)
	}
	if x := st.Sessions[1]; x.Line != 3 || !strings.Contains(x.LastError, "refused") {
		t.Errorf("second session: %+v", x)
	}
	if x := st.Sessions[2]; x.State != "waiting" || !strings.Contains(x.Detail, "eth9") {
		t.Errorf("third session: %+v", x)
	}
	out, err := s.host.Command(harness.Program(t, "rpcapd"), "status", "--run-dir", a.runDir).CombinedOutput()
	if err != nil {
		t.Fatalf("rpcapd status: %v: %s", err, out)
	}
	for _, want := range []string{
		fmt.Sprintf("process %d, ", a.Process.Pid), a.ini,
		sensorV4 + ":2003  (line 2)", "capturing", "eth0 (ifname=eth0)", "running: eth0 to " + sensorV4,
		sensorV4 + ":2999  (line 3)", "connection refused",
		"waiting: for ifname=eth9",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("rpcapd status does not say %q:\n%s", want, out)
		}
	}
	sen.Await("all frames in the file, after SIGUSR1", func() bool { // they count as written a while later
		p := one(t, sen.report())
		return p.frames >= 10 && p.written == p.frames && strings.HasPrefix(p.head, "running, rule default")
	})
	// Another agent may not write into the same files.
	again := harness.StartIn(t, s.host, nil, harness.Program(t, "rpcapd"), "-n", "-a", sensorV4+",2999", "--run-dir", a.runDir)
	again.Says("is in use by another agent", 1)
	a.Stop(stopSignal, stopLimit)
	if out, err := s.host.Command(harness.Program(t, "rpcapd"), "status", "--run-dir", a.runDir).CombinedOutput(); err == nil {
		t.Errorf("the status outlives the agent: %s", out)
	}
}
