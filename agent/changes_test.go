package agent

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/iface"
	"rpcapd/rpcap"
)

// host is a list of interfaces: "3 eth0 up 10.0.0.1/24" each, further names with =.
func host(t *testing.T, lines ...string) (list []iface.Interface) {
	t.Helper()
	for _, line := range lines {
		words := strings.Fields(line)
		i := iface.Interface{Index: int(words[0][0] - '0'), Name: words[1]}
		for _, w := range words[2:] {
			switch alt, isAlt := strings.CutPrefix(w, "="); {
			case isAlt:
				i.AltNames = append(i.AltNames, alt)
			case w == "up":
				i.Flags |= iface.Up | iface.Running
			case w == "loopback":
				i.Flags |= iface.Loopback
			default:
				p := netip.MustParsePrefix(w)
				i.Addresses = append(i.Addresses, iface.Address{Addr: p.Addr(), Prefix: p.Bits()})
			}
		}
		list = append(list, i)
	}
	return list
}

// TestInterfaceOfALine: what is done with a connection when the interfaces become others.
func TestInterfaceOfALine(t *testing.T) {
	named := iface.Selector{Name: "cap"}
	alt := iface.Selector{Name: "enp3s0"}
	net := iface.Selector{Net: netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		what     string
		sel      iface.Selector
		followed followed
		now      []string
		end      string // "" or a part of the reason
	}{
		{"nothing", named, followed{"cap", 3}, []string{"3 cap up"}, ""},
		{"renamed", named, followed{"cap", 3}, []string{"3 wan0 up"}, "renamed to wan0"},
		{"renamed, and another has the name", named, followed{"cap", 3}, []string{"3 wan0 up", "4 cap up"}, "renamed to wan0"},
		{"renamed, the old name stays as an alternative one", named, followed{"cap", 3}, []string{"3 wan0 =cap up"}, "is on interface wan0 now"},
		{"deleted", named, followed{"cap", 3}, []string{"1 lo up loopback"}, ""},
		{"deleted and made again", named, followed{"cap", 3}, []string{"5 cap up"}, ""},
		{"alternative name", alt, followed{"cap", 3}, []string{"3 cap =enp3s0 up"}, ""},
		{"alternative name gone", alt, followed{"cap", 3}, []string{"3 cap up"}, "no longer has the name enp3s0"},
		{"alternative name on another", alt, followed{"cap", 3}, []string{"3 cap up", "4 eth1 =enp3s0"}, "no longer has the name enp3s0"},
		{"address stays", net, followed{"cap", 3}, []string{"3 cap up 10.0.0.1/24"}, ""},
		{"address gone", net, followed{"cap", 3}, []string{"3 cap up"}, ""},
		{"address on another", net, followed{"cap", 3}, []string{"3 cap up", "4 eth1 up 10.0.0.1/24"}, "on interface eth1 now"},
		{"renamed with its address", net, followed{"cap", 3}, []string{"3 wan0 up 10.0.0.1/24"}, "renamed to wan0"},
		{"any interface, the open one renamed", iface.Selector{}, followed{"cap", 3}, []string{"3 wan0 up"}, "renamed to wan0"},
		{"any interface, another renamed", iface.Selector{}, followed{"cap", 3}, []string{"3 cap up", "4 wan0"}, ""},
		{"any interface, none open", iface.Selector{}, followed{}, []string{"3 wan0 up"}, ""},
	} {
		r := newRig(t, writeCaptureFile(t, 1), nil)
		r.x.target.Select, r.x.followed = c.sel, c.followed
		var ended error
		r.x.setHangUp(func(err error) { ended = err })
		r.x.interfacesChanged(host(t, c.now...), nil)
		if c.end == "" && ended != nil || c.end != "" && (ended == nil || !strings.Contains(ended.Error(), c.end)) {
			t.Errorf("%s: ended with %v, want %q", c.what, ended, c.end)
		}
		if len(r.x.changed) != 1 {
			t.Errorf("%s: a waiting session is not woken", c.what)
		}
	}
}

// TestRenameAfterTheCaptureMoved: the device that a deleted one was replaced by is
// followed like the first.
func TestRenameAfterTheCaptureMoved(t *testing.T) {
	r := newRig(t, writeCaptureFile(t, 1), nil)
	r.x.target.Select = iface.Selector{Name: "cap"}
	r.x.follow("cap", 3)
	var ended error
	r.x.setHangUp(func(err error) { ended = err })
	r.x.interfacesChanged(host(t, "5 cap up"), nil)
	if ended != nil {
		t.Fatal(ended)
	}
	if r.x.interfacesChanged(host(t, "5 wan0 up"), nil); ended == nil {
		t.Error("the second device was renamed, and nothing happened")
	}
}

func TestCameUp(t *testing.T) {
	for _, c := range []struct {
		what        string
		before, now []string
		want        []string
	}{
		{"nothing", []string{"3 cap up"}, []string{"3 cap up"}, nil},
		{"up", []string{"3 cap"}, []string{"3 cap up"}, []string{"cap"}},
		{"down", []string{"3 cap up"}, []string{"3 cap"}, nil},
		{"new", []string{"1 lo up loopback"}, []string{"1 lo up loopback", "3 cap up"}, []string{"cap"}},
		{"new and down", []string{"1 lo up loopback"}, []string{"3 cap"}, nil},
		{"made again", []string{"3 cap up"}, []string{"4 cap up"}, []string{"cap"}},
		{"an address", []string{"3 cap up"}, []string{"3 cap up 10.0.0.1/24"}, []string{"cap"}},
		{"a link-local address", []string{"3 cap up"}, []string{"3 cap up fe80::1/64"}, nil},
		{"an address less", []string{"3 cap up 10.0.0.1/24"}, []string{"3 cap up"}, nil},
		{"loopback", []string{"1 lo loopback"}, []string{"1 lo up loopback"}, nil},
		{"the first look", nil, []string{"3 cap up"}, nil},
	} {
		if got := cameUp(host(t, c.before...), host(t, c.now...)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// TestRedialsWhenAnInterfaceComesUp: a held session is dialed anew soon, one that
// captures or is not let in yet is left alone, and the pauses are kept.
func TestRedialsWhenAnInterfaceComesUp(t *testing.T) {
	file := writeCaptureFile(t, 1)
	up := []string{"eth1"}
	play := func(t *testing.T, what string, steps func(r *rig, p *peer), want time.Duration, redialed bool) {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, file, func(o *Options) { o.DryRun = true })
				p, ended := r.connect()
				steps(r, p)
				began := time.Now()
				r.x.interfacesChanged(host(t, "3 eth1 up"), up)
				go func() { time.Sleep(time.Minute); p.conn.Close() }()
				for {
					if _, _, err := p.wire.ReadMessage(time.Time{}); err != nil {
						break
					}
				}
				err := <-ended
				if got := errors.As(err, new(interfaceChange)); got != redialed {
					t.Errorf("ended with %v", err)
				} else if d := time.Since(began); redialed && d != want {
					t.Errorf("ended after %v, want %v", d, want)
				}
				p.conn.Close()
				time.Sleep(pipeTimers)
			})
		})
	}
	play(t, "held", func(r *rig, p *peer) { p.authenticate(); time.Sleep(time.Hour) }, heldIdle, true)
	play(t, "held because it cannot be opened", func(r *rig, p *peer) {
		p.authenticate()
		p.send(rpcap.OpenRequest{Name: "eth9"}.Append(nil))
		p.wantError(rpcap.CodeOpen)
	}, heldIdle, true)
	play(t, "dialed for another one just now", func(r *rig, p *peer) {
		p.authenticate()
		r.x.redial.last = time.Now().Add(-time.Second)
	}, upPause-time.Second, true)
	play(t, "after a capture", func(r *rig, p *peer) {
		p.authenticate()
		p.open(r.file)
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		p.endCapture()
	}, heldIdle, true)
	play(t, "a sensor at work", func(r *rig, p *peer) {
		p.authenticate()
		go func() {
			for range 4 {
				time.Sleep(200 * time.Millisecond)
				p.wire.WriteMessage(time.Time{}, rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest))
			}
		}()
	}, 800*time.Millisecond+heldIdle, true)
	play(t, "capturing", func(r *rig, p *peer) {
		p.authenticate()
		p.open(r.file)
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		time.Sleep(time.Second)
		r.x.setState(StateCapturing, "") // a file is at its end by now, an interface would not be
	}, 0, false)
	play(t, "not authenticated", func(*rig, *peer) {}, 0, false)
	play(t, "another interface is preselected", func(r *rig, p *peer) {
		p.authenticate()
		r.x.status.Preselected = "eth0"
	}, 0, false)
}
