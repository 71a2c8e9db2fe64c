package agent

import (
	"io"
	"net"
	"testing"
	"time"

	"rpcapd/config"
	"rpcapd/rpcap"
)

// TestReportsItsDataPort: FlagReportPort makes STARTCAP_REPLY carry the port that the
// data comes from, in every format; without the flag, and in a dry run, it is 0.
func TestReportsItsDataPort(t *testing.T) {
	for _, c := range []struct {
		name   string
		flags  rpcap.StartCaptureFlags
		change func(*Options)
	}{
		{"udpstr", rpcap.FlagDatagram, nil},
		{"plain", rpcap.FlagDatagram, func(o *Options) { o.Config.Datagram = config.Datagram{Plain: true} }},
		{"tcp", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, l := fileAgent(t, 3, c.change)
			p := accept(t, l)
			p.authenticate()
			p.open(name(s))
			data := dataFrom(t, c.flags&rpcap.FlagDatagram == 0)
			for _, asked := range []bool{true, false} {
				flags := c.flags
				if asked {
					flags |= rpcap.FlagReportPort
				}
				p.send(startRequest(data.port, flags, rpcap.AcceptAll()))
				_, b := p.want(rpcap.TypeStartCaptureReply)
				r, _, err := rpcap.ParseStartCaptureReply(b)
				if err != nil {
					t.Fatal(err)
				}
				want := uint16(0)
				if from := data.source(); asked {
					want = from
				}
				if r.DataPort != want {
					t.Errorf("asked %v: data port %d, want %d", asked, r.DataPort, want)
				}
				p.endCapture()
			}
		})
	}
	t.Run("dry run", func(t *testing.T) {
		s, l := fileAgent(t, 3, func(o *Options) { o.DryRun = true })
		p := accept(t, l)
		p.authenticate()
		p.open(name(s))
		p.startCapture(9999, rpcap.FlagDatagram|rpcap.FlagReportPort, rpcap.AcceptAll()) // checks for 0
	})
}

// sourcePorts is a data port that tells where the data of a capture comes from.
type sourcePorts struct {
	port   uint16
	source func() uint16
}

func dataFrom(t *testing.T, tcp bool) sourcePorts {
	if tcp {
		l := sensorPort(t)
		return sourcePorts{uint16(l.Addr().(*net.TCPAddr).Port), func() uint16 {
			l.SetDeadline(time.Now().Add(waitLimit))
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				io.Copy(io.Discard, c)
				c.Close()
			}()
			return uint16(c.RemoteAddr().(*net.TCPAddr).Port)
		}}
	}
	d := openDataPort(t)
	last := uint16(0)
	return sourcePorts{d.port(), func() uint16 {
		d.conn.SetReadDeadline(time.Now().Add(waitLimit))
		for {
			_, from, err := d.conn.ReadFromUDPAddrPort(make([]byte, 65536))
			if err != nil {
				t.Fatal(err)
			}
			if from.Port() != last { // not what the capture before sent
				last = from.Port()
				return last
			}
		}
	}}
}
