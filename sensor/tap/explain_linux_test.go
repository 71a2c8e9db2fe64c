package tap

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"rpcapd/sensor/sink"
)

// TestExplain: each cause has its own name and cure, and none that is not there is named.
func TestExplain(t *testing.T) {
	opening := func(errno unix.Errno) error { return &fs.PathError{Op: opOpen, Path: cloneDevice, Err: errno} }
	for title, tc := range map[string]struct {
		err  error
		made bool
		m    machine
		want string
		not  []string
	}{
		"private devices":     {opening(unix.ENOENT), true, machine{service: true, ownDev: true, driver: true}, "PrivateDevices=yes, which hides it; copy /usr/share", []string{"modprobe", "container"}},
		"a container":         {opening(unix.ENOENT), true, machine{ownDev: true}, "--device /dev/net/tun", []string{"modprobe", "PrivateDevices"}},
		"no driver":           {opening(unix.ENOENT), true, machine{service: true}, "modprobe tun", []string{"PrivateDevices", "container"}},
		"no device":           {opening(unix.ENOENT), true, machine{driver: true}, "mknod -m 0666 /dev/net/tun c 10 200", []string{"modprobe"}},
		"driver not loadable": {opening(unix.ENODEV), true, machine{}, "modprobe tun", []string{"PrivateDevices"}},
		"DevicePolicy":        {opening(unix.EPERM), true, machine{service: true, admin: true}, "DeviceAllow=/dev/net/tun rw", []string{"CAP_NET_ADMIN", "modprobe"}},
		"mode of the device":  {opening(unix.EACCES), true, machine{}, "chmod 0666 /dev/net/tun", []string{"CAP_NET_ADMIN"}},
		"no capability":       {unix.EPERM, true, machine{}, "no CAP_NET_ADMIN; start it as root", []string{"DeviceAllow", "another user"}},
		"no cap., a service":  {unix.EPERM, true, machine{service: true}, "no CAP_NET_ADMIN; copy /usr/share", []string{"setcap"}},
		"another's interface": {unix.EPERM, false, machine{}, "made for another user", nil},
		"busy":                {unix.EBUSY, false, machine{}, "another program has it open", nil},
		"not a TAP interface": {unix.EINVAL, false, machine{}, "not a TAP interface", nil},
	} {
		err := explain("rpcap0", tc.made, tc.m, tc.err)
		if text := err.Error(); !strings.Contains(text, tc.want) || !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %q", title, err, tc.want)
		}
		for _, not := range tc.not {
			if strings.Contains(err.Error(), not) {
				t.Errorf("%s: %v names %s", title, err, not)
			}
		}
	}
	if r := recipe("rpcap0"); !strings.Contains(r, "addrgenmode none") {
		t.Errorf("the kernel speaks on an interface made by %s", r)
	}
}

func TestOwnDevices(t *testing.T) {
	machine := "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n25 22 0:6 / /dev rw,nosuid - devtmpfs udev rw\n"
	for text, want := range map[string]bool{
		machine: false, "": false, machine + "300 25 0:60 / /dev ro,nosuid,noexec - tmpfs tmpfs ro\n": true,
		"700 690 0:73 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k\n": true, machine + "26 25 0:24 / /dev/pts rw - devpts devpts rw\n": false,
	} {
		if got := ownDevices(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestGuardStatus: a guard that is not there says why, and one that nobody wants is none that is missing.
func TestGuardStatus(t *testing.T) {
	detail := func(st sink.Status, name string) string {
		for _, d := range st.Details {
			if d.Name == name {
				return d.Text
			}
		}
		return ""
	}
	for _, tc := range []struct {
		err         error
		guard, text string
	}{
		{nil, "on", ""}, {errNoGuard, "not wanted", ""}, {explainGuard(unix.EPERM), "off", "CAP_NET_ADMIN"}, {explainGuard(unix.ENOENT), "off", "modprobe sch_ingress"},
	} {
		k, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		k.unguarded = tc.err
		st := k.Status()
		if detail(st, "guard") != tc.guard || !strings.Contains(detail(st, "guard is off because"), tc.text) {
			t.Errorf("%v: %+v", tc.err, st.Details)
		}
	}
}
