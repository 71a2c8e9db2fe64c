package deploy

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// imagesVariable names the folder of the images that prepare has built.
const imagesVariable = "TEST_DEPLOY_IMAGES"

// images is that folder.
func images(t *testing.T) string {
	t.Helper()
	full(t)
	dir, reason, _ := strings.Cut(os.Getenv(imagesVariable), "\n")
	if reason != "" || dir == "" {
		t.Fatal("no images: ", reason)
	}
	return dir
}

// buildImages runs what make image runs, for this machine's architecture.
func buildImages() {
	dir, err := cacheFolder("images")
	if err == nil {
		err = buildImagesIn(dir)
	}
	text := dir
	if err != nil {
		text += "\n" + err.Error()
	}
	os.Setenv(imagesVariable, text)
}

// TestRootImageLayout: a registry takes the layout of all architectures, and the tar of one, and what it gives back is whole.
func TestRootImageLayout(t *testing.T) {
	dir := images(t)
	netlab.Require(t)
	crane := tool(t, "crane")
	home := netlab.New(t).Namespace("registry")
	registry := harness.StartIn(t, home, nil, crane, "registry", "serve", "--address", "127.0.0.1:5000")
	for _, program := range []string{"rpcapd", "rpcap-sensor"} {
		file := filepath.Join(dir, program+"-1.2.3-linux-"+archive()+".image.tar")
		if out, err := home.Command(crane, "validate", "--tarball", file).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		for source, name := range map[string]string{filepath.Join(dir, program): "127.0.0.1:5000/" + program + ":all", file: "127.0.0.1:5000/" + program + ":one"} {
			registry.Await("taking "+name, func() bool { return home.Command(crane, "push", source, name).Run() == nil })
			if out, err := home.Command(crane, "validate", "--remote", name).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			out, err := home.Command(crane, "config", "--platform", "linux/"+runtime.GOARCH, name).Output()
			if err != nil || !strings.Contains(string(out), `"org.opencontainers.image.version":"1.2.3"`) {
				t.Errorf("%s: %v %s", name, err, out)
			}
		}
	}
}

// buildImagesIn does so in a folder.
func buildImagesIn(dir string, more ...string) error {
	args := append([]string{"run", "-buildvcs=false", "./packaging/build", "-o", dir, "-formats", "image", "-arches", runtime.GOARCH, "-version", "1.2.3"}, more...)
	cmd := exec.Command("go", args...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1700000000")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// TestImageReproducible: a second build gives the same bytes.
func TestImageReproducible(t *testing.T) {
	first, second := images(t), filepath.Join(t.TempDir(), "again")
	if err := buildImagesIn(second, "-programs", "rpcapd"); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(second + "/rpcapd-*")
	if err != nil || len(names) != 3 { // two tars, and the list of modules
		t.Fatal(names, err)
	}
	for _, name := range append(names, second+"/rpcapd/index.json") {
		again, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		relative, err := filepath.Rel(second, name)
		if err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(filepath.Join(first, relative))
		if err != nil || !bytes.Equal(before, again) {
			t.Errorf("%s differs (%v)", relative, err)
		}
	}
}

// engine is podman with storage of its own.
type engine struct {
	t    *testing.T
	root string
}

// inEngine mounts what crun wants to see of cgroups, in the mounts of the command alone, and runs podman.
const inEngine = `umount -R /sys/fs/cgroup 2>/dev/null; mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 125
exec podman "$@"`

func newEngine(t *testing.T) *engine {
	t.Helper()
	dir := images(t)
	netlab.Require(t)
	for _, name := range []string{"podman", "crun"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatal(err, "; make deps cannot install it here")
		}
	}
	root, err := os.MkdirTemp("/run", "podman-")
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{t, root}
	policy := filepath.Join(root, ".config/containers/policy.json")
	if err := os.MkdirAll(filepath.Dir(policy), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(policy, []byte(`{"default":[{"type":"insecureAcceptAnything"}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	home := netlab.New(t).Namespace("engine")
	for _, program := range []string{"rpcapd", "rpcap-sensor"} {
		out, err := e.command(home, "load", "-i", filepath.Join(dir, program+"-1.2.3-linux-"+archive()+".image.tar")).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "localhost/"+program+":1.2.3") {
			t.Fatalf("load %s: %v\n%s", program, err, out)
		}
	}
	return e
}

// archive is the architecture in names of files.
func archive() string {
	if runtime.GOARCH == "arm" {
		return "armv7"
	}
	return runtime.GOARCH
}

// command is podman in a network namespace.
func (e *engine) command(n *netlab.Namespace, args ...string) *netlab.Cmd {
	args = append([]string{"--root", e.root + "/root", "--runroot", e.root + "/run", "--storage-driver", "vfs", "--runtime", "crun", "--cgroup-manager", "cgroupfs"}, args...)
	cmd := n.Command("unshare", append([]string{"--cgroup", "--mount", "sh", "-c", inEngine, "podman"}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+e.root, "XDG_CONFIG_HOME="+e.root+"/.config")
	return cmd
}

// args are those of a container that has the network of its namespace and cannot write to its image.
func (e *engine) args(program string, more ...string) []string {
	args := []string{"run", "--rm", "--network", "host", "--cgroups", "disabled", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--read-only", "--cap-drop", "all"}
	return append(append(args, more...), "localhost/"+program+":1.2.3")
}

// start runs a container until the end of the test.
func (e *engine) start(n *netlab.Namespace, program, name string, more ...string) *harness.Running {
	e.t.Helper()
	args := append([]string{"HOME=" + e.root, "XDG_CONFIG_HOME=" + e.root + "/.config"}, e.command(n, e.args(program, append(more, "--name", name)...)...).Args...)
	p := harness.StartIn(e.t, n, nil, "env", args...)
	e.t.Cleanup(func() { _, _ = e.command(n, "rm", "-f", "-t", "1", name).CombinedOutput() })
	return p
}

// TestRootImageWithoutCapability: the error names the capability, and how podman, docker and Kubernetes give it.
func TestRootImageWithoutCapability(t *testing.T) {
	e := newEngine(t)
	host := netlab.New(t).Namespace("host")
	for name, more := range map[string][]string{
		"root":          nil,
		"another user":  {"--user", "65532"},
		"no privileges": {"--user", "65532", "--security-opt", "no-new-privileges"},
	} {
		out, err := e.command(host, e.args("rpcapd", append(more, "-e", "RPCAPD_SENSOR=192.0.2.1", "-e", "RPCAPD_NULL_AUTH_PERMIT=YES")...)...).CombinedOutput()
		if err == nil {
			t.Errorf("%s: it started\n%s", name, out)
		}
		for _, want := range []string{"no right to capture", "CAP_NET_RAW", "--cap-add=NET_RAW", "capabilities: {drop: [ALL], add: [NET_RAW]}"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: no %q in\n%s", name, want, out)
			}
		}
	}
}

// TestRootImageTypo: a variable that is not known keeps the container from starting.
func TestRootImageTypo(t *testing.T) {
	e := newEngine(t)
	host := netlab.New(t).Namespace("host")
	out, err := e.command(host, e.args("rpcapd", "--cap-add", "NET_RAW", "-e", "RPCAPD_SENSOR=192.0.2.1", "-e", "RPCAPD_IFNMAE=eth0")...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "environment RPCAPD_IFNMAE: unknown variable; did you mean RPCAPD_IFNAME?") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = e.command(host, e.args("rpcap-sensor", "-e", "RPCAP_SENSOR_FILTER=tcp port 80")...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "tcpdump") {
		t.Errorf("a filter without tcpdump: %v\n%s", err, out)
	}
}

// TestRootImageForwards: an agent container forwards to a sensor container. Nothing but NET_RAW is given, nothing is configured but by
// the environment, and no frame is lost.
//
//	client --veth-- host: rpcapd --veth-- sensor: rpcap-sensor -> file
func TestRootImageForwards(t *testing.T) {
	const count = 5000
	for name, user := range map[string][]string{
		"root":             {"--security-opt", "no-new-privileges"},
		"root that drops":  {"--cap-add", "SETUID", "--cap-add", "SETGID", "--cap-add", "SETPCAP", "--cap-add", "CHOWN"},
		"an ordinary user": {"--user", "65532"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t)
			lab := netlab.New(t)
			client, host, sensor := lab.Namespace("client"), lab.Namespace("host"), lab.Namespace("sensor")
			for _, n := range []*netlab.Namespace{client, host, sensor} {
				n.Sysctl("ipv6/conf/default/disable_ipv6", "1") // else the kernel sends what no test asked for
			}
			lab.Veth(client, "eth0", host, "eth0")
			lab.Veth(host, "eth1", sensor, "eth0")
			host.AddAddr("eth1", "10.2.0.2/24")
			sensor.AddAddr("eth0", "10.2.0.3/24")
			folder := filepath.Join(e.root, "captures")
			if err := os.Mkdir(folder, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(folder, 0o777); err != nil {
				t.Fatal(err)
			}
			receiver := e.start(sensor, "rpcap-sensor", "sensor", "--security-opt", "no-new-privileges", "-v", folder+":/var/lib/rpcap-sensor",
				"-e", "RPCAP_SENSOR_WRITE=/var/lib/rpcap-sensor/all.pcapng", "-e", "RPCAP_SENSOR_INTERFACE=eth0")
			receiver.Says("waiting for agents", 1)
			forwarder := e.start(host, "rpcapd", "agent", append(user, "--cap-add", "NET_RAW", "-e", "RPCAPD_SENSOR=10.2.0.3", "-e", "RPCAPD_IFNAME=eth0",
				"-e", "RPCAPD_NULL_AUTH_PERMIT=YES")...)
			forwarder.Says("capture started", 1)
			if name == "root that drops" {
				forwarder.Says("privileges dropped", 1)
			}
			client.Must(func() error { return sendFrames(count) })

			var total struct {
				Received, Packed uint64
				RingDrops        uint64 `json:"ring_drops"`
			}
			forwarder.Await("all frames in the status", func() bool {
				out, err := e.command(host, "exec", "agent", "rpcapd", "status", "--json").Output()
				var st struct {
					Sessions []struct{ Total json.RawMessage }
				}
				return err == nil && json.Unmarshal(out, &st) == nil && len(st.Sessions) == 1 &&
					json.Unmarshal(st.Sessions[0].Total, &total) == nil && total.Packed >= count
			})
			if total.Received != count || total.Packed != count || total.RingDrops != 0 {
				t.Errorf("%+v, want %d", total, count)
			}
			for _, question := range []string{"live", "ready"} {
				if out, err := e.command(host, "exec", "agent", "rpcapd", "status", "--probe", question).CombinedOutput(); err != nil {
					t.Errorf("%s: %v %s", question, err, out)
				}
			}
			file := filepath.Join(folder, "all.pcapng")
			receiver.Await("all frames in the file", func() bool { return len(numbersIn(file)) >= count })
			seen := numbersIn(file)
			for i := range uint32(count) {
				if seen[i] != 1 {
					t.Fatalf("frame %d is there %d times", i, seen[i])
				}
			}
			if len(seen) != count {
				t.Errorf("%d frames, want %d", len(seen), count)
			}
		})
	}
}

// frameMark is in each frame of the test, before its number.
const frameMark = "container test frame "

// sendFrames sends numbered frames on eth0, slowly enough for a busy machine.
func sendFrames(count int) error {
	link, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	for i := range count {
		frame := append(make([]byte, 12), 0x88, 0xb5) // an EtherType for experiments
		copy(frame, "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01")
		frame = append(frame, frameMark...)
		frame = binary.BigEndian.AppendUint32(frame, uint32(i))
		if err := netlab.SendRaw(link.Index, append(frame, make([]byte, 60-len(frame))...)); err != nil {
			return err
		}
		if i%100 == 99 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	return nil
}

// numbersIn counts the frames of a file by their number.
func numbersIn(file string) map[uint32]int {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	seen := make(map[uint32]int)
	for rest := string(data); ; {
		_, after, found := strings.Cut(rest, frameMark)
		if !found || len(after) < 4 {
			return seen
		}
		seen[binary.BigEndian.Uint32([]byte(after[:4]))]++
		rest = after
	}
}
