package windows

import (
	"regexp"
	"strings"
	"syscall"
	"time"

	"rpcapd/test/harness"
)

// runLimit is for a program that does one thing, and for a machine that starts for it.
const runLimit = 2 * time.Minute

// loaderFault is what the Linux loader says now and then of wine, before any program of Windows runs.
var loaderFault = regexp.MustCompile(`ld\.so:.*Assertion.*failed`)

// start starts a program in a folder of the machine (/repo, say). What it prints goes to a file: services that it starts keep its
// output open, and would keep a pipe. A signal to the process arrives in the program as Ctrl-C does.
func (m *machine) start(folder, program string, args ...string) *harness.Running {
	m.t.Helper()
	for try := 1; ; try++ {
		p := harness.StartIn(m.t, m.ns, nil, "chroot", inWine(m.root, folder, append([]string{"wine", program}, args...)...)...)
		p.Name = program[strings.LastIndexAny(program, `\/`)+1:] + "@" + m.ns.Name
		if try > 1 || !failedToLoad(p) {
			return p
		}
		m.t.Logf("%s: wine was not loaded, once more: %s", p.Name, p.Text())
	}
}

// failedToLoad waits until the program has printed something, and reports whether that was the loader.
func failedToLoad(p *harness.Running) bool {
	for limit := time.Now().Add(5 * time.Second); !p.Ended() && p.Text() == "" && time.Now().Before(limit); {
		time.Sleep(20 * time.Millisecond)
	}
	return loaderFault.MatchString(p.Text())
}

// run runs a program until its end, and returns what it printed, in lines as Unix has them, and its exit code. Of that code wine
// passes on the lowest 8 bits.
func (m *machine) run(folder, program string, args ...string) (string, int) {
	m.t.Helper()
	return ended(m.start(folder, program, args...), runLimit)
}

// must is run for what has to succeed.
func (m *machine) must(folder, program string, args ...string) string {
	m.t.Helper()
	text, code := m.run(folder, program, args...)
	if code != 0 {
		m.t.Fatalf("%s %q: exit code %d\n%s", program, args, code, text)
	}
	return text
}

func ended(p *harness.Running, limit time.Duration) (string, int) {
	p.T.Helper()
	code := p.Exits(limit)
	return strings.ReplaceAll(p.Text(), "\r\n", "\n"), code
}

// switchOn starts a machine that stays on when its last program has ended: services go on running.
func (m *machine) switchOn() {
	m.t.Helper()
	m.server("-p")
}

// switchOff ends whatever runs. What is in the registry stays.
func (m *machine) switchOff() {
	m.t.Helper()
	m.server("-k")
	m.kill()
}

func (m *machine) server(option string) {
	m.t.Helper()
	p := harness.StartIn(m.t, m.ns, nil, "chroot", inWine(m.root, "/", "wineserver", option)...)
	if text, code := ended(p, runLimit); code != 0 {
		m.t.Fatalf("wineserver %s: exit code %d\n%s", option, code, text)
	}
}

// interrupt is Ctrl-C.
const interrupt = syscall.SIGINT
