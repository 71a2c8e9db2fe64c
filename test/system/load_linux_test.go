package system

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
	"rpcapd/test/refsensor"
)

// TestRootLoad has the independent sensor check that every frame of a steady load
// arrives, whole, once and in order.
func TestRootLoad(t *testing.T) {
	for _, x := range []struct {
		size, rate, frames, full int
	}{
		{64, 100_000, 100_000, 1_000_000},
		{1514, 30_000, 30_000, 200_000},
	} {
		t.Run(fmt.Sprintf("%d bytes", x.size), func(t *testing.T) {
			n := x.frames
			if netlab.Full() {
				n = x.full
			}
			load(t, x.size, x.rate, uint64(n))
		})
	}
}

func load(t *testing.T, size, rate int, frames uint64) {
	s := newStage(t)
	var sen *refsensor.Sensor
	s.sensor.Must(func() (err error) {
		sen, err = refsensor.Listen(sensorV4 + ":2003")
		return err
	})
	defer sen.Close()
	type outcome struct {
		*refsensor.Result
		err error
	}
	ready, done := make(chan struct{}), make(chan outcome, 1)
	go func() {
		r, err := sen.Serve(refsensor.Expectation{Interface: "eth0", Frames: frames, Size: size, Idle: patience},
			func() { close(ready) })
		done <- outcome{r, err}
	}()
	a := startAgent(t, s.host, "ActiveClient = "+sensorV4+", 2003, ifname=eth0")
	select {
	case <-ready:
	case o := <-done:
		t.Fatal(o.err)
	case <-time.After(patience):
		t.Fatal("no capture")
	}
	took, err := generate(s.client, "eth0", [6]byte(s.host.MAC("eth0")), size, rate, frames)
	must(t, err)
	o := <-done
	if o.err != nil {
		t.Fatal(o.err)
	}
	r := o.Result
	t.Logf("%d frames at %.0f/s, %d arrived in %d datagrams of %d bytes on average",
		frames, float64(frames)/took.Seconds(), r.Frames, r.Datagrams, r.Bytes/max(r.Datagrams, 1))
	want := *r // what must not differ is set below
	want.Frames, want.Intact = frames, frames
	want.Lost, want.Late, want.Garbage, want.Twice, want.Disordered, want.Misnumbered, want.FirstFault = 0, 0, 0, 0, 0, 0, nil
	want.Received, want.Captured, want.InterfaceDrops, want.KernelDrops = uint32(frames), uint32(frames), 0, 0
	if *r != want {
		t.Errorf("arrived: %+v\nwant:    %+v", *r, want)
	}
	a.Await("the final numbers in the status", func() bool {
		c := a.session().Capture
		return c != nil && !c.Running
	})
	if c := a.session().Capture; c.Packed != frames || c.RingDrops != 0 || c.SendDropped != 0 || c.Datagrams != r.Datagrams || c.SentBytes != r.Bytes {
		t.Errorf("the agent says: %+v", c.counters)
	}
}

// burst is what the generator sends before it looks at the clock again.
const burst = 64

// generate sends numbered frames out of an interface at a steady rate.
func generate(n *netlab.Namespace, name string, dst [6]byte, size, rate int, frames uint64) (took time.Duration, err error) {
	return generateFrom(n, name, dst, size, rate, 0, frames)
}

// generateFrom sends the frames from one number to another, which is not sent.
func generateFrom(n *netlab.Namespace, name string, dst [6]byte, size, rate int, from, to uint64) (took time.Duration, err error) {
	frames := to - from
	src := [6]byte(n.MAC(name))
	index := n.Link(name).Attrs().Index
	err = n.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		link := &unix.SockaddrLinklayer{Ifindex: index, Protocol: htons(unix.ETH_P_IP)}
		f := refsensor.Frame(dst, src, 0, size)
		begin := time.Now()
		for sent := uint64(0); sent < frames; {
			due := min(frames, uint64(time.Since(begin).Seconds()*float64(rate)))
			if sent >= due {
				time.Sleep(200 * time.Microsecond)
				continue
			}
			for range min(burst, due-sent) {
				refsensor.Renumber(f, from+sent)
				if err := unix.Sendto(fd, f, 0, link); err != nil {
					return fmt.Errorf("send frame %d: %w", sent, err)
				}
				sent++
			}
		}
		took = time.Since(begin)
		return nil
	})
	return took, err
}
