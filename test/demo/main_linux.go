package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rpcapd/test/netlab"
)

func main() {
	if err := netlab.Enter(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	bin := filepath.Dir(self)
	s := build()
	err = s.show(bin, folder(filepath.Join(bin, "demo-files")))
	s.clear()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo: FAILED:", err)
		os.Exit(1)
	}
}

// show is the course of the demo.
func (s *stage) show(bin string, out folder) error {
	begin := time.Now()
	if err := os.MkdirAll(string(out), 0o755); err != nil {
		return err
	}
	fmt.Print(picture)
	agent, sensor, err := s.startPrograms(bin, out)
	if err != nil {
		return err
	}
	if err := s.traffic(); err != nil {
		return err
	}
	if err := s.showStatus(bin, agent); err != nil {
		return err
	}
	fmt.Println("\nStopping the sensor: it ends the capture, asks for the final numbers and sums up")
	if err := sensor.stop(); err != nil {
		return err
	}
	text, got, err := summary(out.read("rpcap-sensor.log"))
	if err != nil {
		return err
	}
	fmt.Printf("\n%s", text)
	if err := agent.await("final numbers", func() bool { x := agentStatus(); return x.Capture.Packed > 0 && !x.Capture.Running }); err != nil {
		return err
	}
	sent := agentStatus()
	if err := agent.stop(); err != nil {
		return err
	}
	all, err := readFrames(out.path("frames.pcapng"))
	if err != nil {
		return err
	}
	if err := showFrames(out, all); err != nil {
		return err
	}
	if err := conclude(&sent, &got, all); err != nil {
		return err
	}
	fmt.Printf("\nEvery frame arrived. It took %.0f s. To look at them:\n", time.Since(begin).Seconds())
	fmt.Println("  wireshark", shorten(out.path("frames.pcapng")))
	return nil
}

func (s *stage) startPrograms(bin string, out folder) (agent, sensor *program, err error) {
	if err := os.WriteFile(out.path("rpcapd.ini"), []byte(ini), 0o644); err != nil {
		return nil, nil, err
	}
	for _, addr := range []string{hostV4, hostV6} {
		if err := s.serveEcho(addr); err != nil {
			return nil, nil, err
		}
	}
	pcapng := out.path("frames.pcapng")
	fmt.Println("sensor$ rpcap-sensor -w", shorten(pcapng))
	if sensor, err = s.start(s.sensor, bin, out, "rpcap-sensor", "-w", pcapng); err != nil {
		return nil, nil, err
	}
	if err := sensor.await("listening", func() bool { return len(out.read("rpcap-sensor.log")) > 0 }); err != nil {
		return nil, nil, err
	}
	inifile := out.path("rpcapd.ini")
	fmt.Println("host$   rpcapd -f", shorten(inifile))
	if agent, err = s.start(s.host, bin, out, "rpcapd", "-f", inifile); err != nil {
		return nil, nil, err
	}
	return agent, sensor, agent.await("capturing", func() bool { return agentStatus().State == "capturing" })
}

// traffic sends each kind in turn, from the client to the host and back.
func (s *stage) traffic() error {
	fmt.Println("\nThe agent has dialed the sensor and captures. Traffic of the client:")
	for _, step := range []struct {
		what string
		send func() error
	}{
		{fmt.Sprintf("%d pings to %s", pings, hostV4), func() error { return s.pingHost(clientV4, hostV4) }},
		{fmt.Sprintf("%d pings to %s", pings, hostV6), func() error { return s.pingHost(clientV6, hostV6) }},
		{fmt.Sprintf("%d UDP datagrams to %s and back", datagrams, hostV4), func() error { return s.sendUDP(hostV4) }},
		{fmt.Sprintf("%d UDP datagrams to %s and back", datagrams, hostV6), func() error { return s.sendUDP(hostV6) }},
		{fmt.Sprintf("%d KiB over TCP to %s and back", tcpBytes>>10, hostV4), func() error { return s.sendTCP(hostV4) }},
		{fmt.Sprintf("%d KiB over TCP to %s and back", tcpBytes>>10, hostV6), func() error { return s.sendTCP(hostV6) }},
	} {
		if err := step.send(); err != nil {
			return err
		}
		fmt.Println("  " + step.what)
	}
	return nil
}

// showStatus prints what `rpcapd status` says once the file has caught up.
func (s *stage) showStatus(bin string, agent *program) error {
	last, calm := uint64(0), 0
	err := agent.await("settled numbers", func() bool {
		now := agentStatus().Capture.Packed
		if calm++; now != last || now == 0 {
			last, calm = now, 0
		}
		return calm > int(1200*time.Millisecond/poll) // the file is a second old at most
	})
	if err != nil {
		return err
	}
	text, err := s.host.Command(filepath.Join(bin, "rpcapd"), "status").CombinedOutput()
	if err != nil {
		return fmt.Errorf("rpcapd status: %w: %s", err, text)
	}
	fmt.Printf("\nhost$   rpcapd status\n%s", text)
	return nil
}

func showFrames(out folder, all *frames) error {
	fmt.Println("\nThe first frames of each kind as they arrived:")
	by := printTable(os.Stdout, out.path("frames.pcapng"), all)
	fmt.Printf("  (%s; in all %s; largest %d bytes)\n", by, all.summary(), all.largest)
	return all.check()
}

// conclude holds the agent's numbers against the sensor's and the file's.
func conclude(sent *forwarded, got *received, all *frames) error {
	c := &sent.Capture
	fmt.Println("\n                                  frames   datagrams")
	fmt.Printf("  forwarded by the agent        %8d    %8d   (%d lost in its ring)\n", c.Packed, c.Datagrams, c.RingDrops)
	fmt.Printf("  received by the sensor        %8d    %8d   (%d frames missing)\n", got.frames, got.datagrams, got.missing)
	fmt.Printf("  in the file                   %8d\n", len(all.list))
	var errs []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	must(c.Received == c.Packed+c.RingDrops, "the filter accepted %d frames, which is not forwarded + lost in the ring", c.Received)
	must(c.RingDrops == 0 && c.SendDropped == 0, "the agent lost %d frames in its ring and %d datagrams when sending", c.RingDrops, c.SendDropped)
	must(got.frames == c.Packed, "%d frames were forwarded, %d received", c.Packed, got.frames)
	must(got.datagrams == c.Datagrams && got.lost == 0, "%d datagrams were sent, %d received, %d lost", c.Datagrams, got.datagrams, got.lost)
	must(got.missing == 0, "%d frames are missing", got.missing)
	must(uint64(len(all.list)) == got.frames && got.written == got.frames, "%d frames were received, %d written, %d are in the file", got.frames, got.written, len(all.list))
	return errors.Join(errs...)
}

// shorten returns a path as seen from the working directory, if that is shorter.
func shorten(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}
