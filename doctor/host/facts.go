package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"rpcapd/doctor"
	"rpcapd/iface"
)

const (
	// commandLimit bounds one program that tells facts.
	commandLimit = 3 * time.Second
	// maxFact bounds what is kept of a file.
	maxFact = 1 << 20
)

// settings of the kernel that matter for sockets and captures.
var shown = []string{
	"net.core.rmem_max", "net.core.rmem_default", "net.core.wmem_max", "net.core.wmem_default", "net.core.optmem_max",
	"net.core.netdev_max_backlog", "net.ipv4.udp_mem", "net.ipv4.ip_no_pmtu_disc", "net.core.bpf_jit_enable",
}

// Facts are what the archive says of the machine: kernel, interfaces, sockets, and the recent log of a unit. more are files
// that are taken as they are; they must hold no secret.
func Facts(ctx context.Context, unit string, more ...string) []doctor.File {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", System())
	for _, name := range []string{"/etc/os-release", "/proc/meminfo", "/proc/cpuinfo", "/proc/self/status", "/proc/self/cgroup"} {
		writeFile(&b, name)
	}
	for _, name := range shown {
		if v, err := os.ReadFile(sysctls + strings.ReplaceAll(name, ".", "/")); err == nil {
			fmt.Fprintf(&b, "%s = %s\n", name, strings.TrimSpace(string(v)))
		}
	}
	files := []doctor.File{{Name: "system.txt", Data: []byte(b.String())}, {Name: "network.txt", Data: network()}}
	for _, name := range more {
		var b strings.Builder
		if writeFile(&b, name) {
			files = append(files, doctor.File{Name: filepath.Base(name), Data: []byte(b.String())})
		}
	}
	if unit != "" {
		if out, ok := command(ctx, "journalctl", "-u", unit, "-n", "500", "--no-pager", "-o", "short-iso"); ok {
			files = append(files, doctor.File{Name: "log.txt", Data: Redact(accounts.ReplaceAll(out, []byte("$1 (left out)")))})
		}
		if out, ok := command(ctx, "systemctl", "show", unit, "--property=LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts,MainPID,MemoryCurrent,User"); ok {
			files = append(files, doctor.File{Name: "unit.txt", Data: out})
		}
	}
	return files
}

// network has interfaces, routes and sockets.
func network() []byte {
	var b strings.Builder
	list, err := iface.List()
	if err != nil {
		fmt.Fprintf(&b, "interfaces: %v\n", err)
	}
	for _, i := range list {
		fmt.Fprintf(&b, "%s: %s, MTU %d, %v\n", i.Name, i.Flags, i.MTU, i.HardwareAddr)
		for _, a := range i.Addresses {
			fmt.Fprintf(&b, "  %s/%d\n", a.Addr, a.Prefix)
		}
	}
	for _, name := range []string{"/proc/net/dev", "/proc/net/route", "/proc/net/ipv6_route", "/proc/net/snmp", "/proc/net/udp", "/proc/net/udp6", "/proc/net/packet"} {
		writeFile(&b, name)
	}
	return []byte(b.String())
}

// writeFile adds a file with its name, if it can be read.
func writeFile(b *strings.Builder, name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxFact))
	if err != nil {
		return false
	}
	fmt.Fprintf(b, "--- %s\n%s\n", name, data)
	return true
}

// command runs a program that may not be there.
func command(ctx context.Context, name string, args ...string) ([]byte, bool) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).Output()
	return out, err == nil && len(out) > 0
}

// secrets are what a log could hold although the programs write none: bcrypt hashes, values after words such as password, and
// names in front of the host of a URL.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]+`),
	regexp.MustCompile(`(?i)((?:password|passwd|secret|token|community|authorization)["']?\s*[=:]\s*)(?:"[^"]*"|\S+(?:[ \t]+\S+)?)`),
	regexp.MustCompile(`([a-z][a-z0-9+.-]*://)[^/\s@]+@`),
	regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`),
}

// accounts are lines of a log about an Account: they may quote what somebody has written there by mistake.
var accounts = regexp.MustCompile(`(?i)(\baccount\b)[^\n]*`)

// Redact replaces what looks like a secret.
func Redact(text []byte) []byte {
	for i, re := range secrets {
		with := "(left out)"
		if i == 1 || i == 2 {
			with = "${1}(left out)"
		}
		if i == 2 {
			with += "@"
		}
		text = re.ReplaceAll(text, []byte(with))
	}
	return bytes.ToValidUTF8(text, []byte("?"))
}
