package netlab

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leaveVariable makes the test below the program that it kills.
const leaveVariable = "NETLAB_TEST_LEAVE"

// TestRootNothingStays: a program of the namespaces that nobody would end, because it
// has a session of its own and no parent death signal, ends with the first process
// all the same, even if that is killed.
func TestRootNothingStays(t *testing.T) {
	Require(t)
	if os.Getenv(leaveVariable) != "" {
		sleep := exec.Command("sleep", "1000")
		sleep.Stdout = os.Stdout
		sleep.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := sleep.Start(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("left")
		time.Sleep(time.Hour)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), leaveVariable+"=1")
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	r.SetReadDeadline(time.Now().Add(60 * time.Second))
	line := make([]byte, 100)
	n, err := r.Read(line)
	if err != nil || !strings.HasPrefix(string(line[:n]), "left") {
		t.Fatalf("got %q, %v", line[:n], err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if _, err := io.ReadAll(r); err != nil { // its end is that of the last process that has it
		t.Errorf("something holds on to standard output: %v", err)
	}
}

// TestEnterFails: where namespaces cannot be made the process goes on, and knows why.
func TestEnterFails(t *testing.T) {
	if _, err := exec.LookPath("setpriv"); err != nil || os.Geteuid() != 0 {
		t.Skip("setpriv and root are needed to take a capability away")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for require, want := range map[string]string{"0": "--- SKIP", "1": "--- FAIL"} {
		cmd := exec.Command("setpriv", "--bounding-set", "-net_admin", self, "-test.v", "-test.run=^TestRootTalk$")
		cmd.Env = append(os.Environ(), "REQUIRE_ROOT="+require)
		out, _ := cmd.CombinedOutput() // its status is that of the test
		if !strings.Contains(string(out), want) || !strings.Contains(string(out), "lacks CAP_SYS_ADMIN or CAP_NET_ADMIN") {
			t.Errorf("REQUIRE_ROOT=%s: want %s and the reason:\n%s", require, want, out)
		}
	}
}
