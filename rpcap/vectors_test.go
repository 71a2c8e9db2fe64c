package rpcap

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Recorded from ExtraHop's agent (eh-) and libpcap's (up-); see the README there.
const vectors = "../test/testdata/vectors"

// vectorFiles returns the files that match, and fails if there are fewer than least:
// a test over no files proves nothing.
func vectorFiles(t testing.TB, pattern string, least int) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(vectors, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < least {
		t.Fatalf("%s: %d files, want at least %d", pattern, len(files), least)
	}
	return files
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// session is what the recorder wrote down itself: an independent reading.
type session struct {
	Control []struct {
		Dir, Note, Name string
		Off, Len        int
		Value           uint16
		Plen            uint32
	}
	Captures []struct {
		Snaplen       uint32
		ReadTimeoutMs uint32 `json:"read_timeout_ms"`
		Flags         StartCaptureFlags
		DataPort      uint16 `json:"data_port"`
		TrailingBytes int    `json:"trailing_bytes"`
		Packets       []struct{ Npkt, Caplen, Len, Sec, Usec uint32 }
	}
}

func readSession(t testing.TB, name string) (s session) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, filepath.Join(vectors, name+".session.json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func sessionName(file string) string { return strings.SplitN(filepath.Base(file), ".", 2)[0] }

// TestVectorsControl decodes every recorded control stream, compares where messages
// begin and what they are with the recorder's notes, and encodes to the same bytes.
func TestVectorsControl(t *testing.T) {
	for _, file := range vectorFiles(t, "*.ctrl.*.bin", 22) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			stream, at, captures := readFile(t, file), 0, 0
			s := readSession(t, sessionName(file))
			dir := "sensor->agent"
			if strings.Contains(file, "agent-to-sensor") {
				dir = "agent->sensor"
			}
			for _, note := range s.Control {
				if note.Dir != dir || note.Len == 0 {
					continue // the other stream, or a remark
				}
				h, payload, used, err := splitMessage(stream[at:])
				if err != nil {
					t.Fatalf("at %d: %v", at, err)
				}
				noted, _, _ := strings.Cut(note.Name+note.Note, " ")
				if at != note.Off || used != note.Len || !strings.HasPrefix(h.Type.String(), noted) {
					t.Fatalf("at %d: %s of %d bytes, recorder noted %+v", at, h.Type, used, note)
				}
				if note.Name != "" && (h.Value != note.Value || h.PayloadLen != note.Plen) {
					t.Fatalf("at %d: %+v, recorder noted %+v", at, h, note)
				}
				value, again, n, err := decode(h, payload)
				if err != nil {
					t.Fatalf("at %d: %v", at, err)
				}
				if n != len(payload) {
					t.Errorf("at %d: %s used %d of %d bytes", at, h.Type, n, len(payload))
				}
				if whole := stream[at : at+used]; !bytes.Equal(again, whole) {
					t.Errorf("at %d: %+v\nencodes to % x\nwas        % x", at, value, again, whole)
				}
				if m, ok := value.(StartCaptureRequest); ok {
					c := s.Captures[captures]
					captures++
					if m.Snaplen != c.Snaplen || m.ReadTimeout != c.ReadTimeoutMs || m.Flags != c.Flags || m.DataPort != c.DataPort {
						t.Errorf("at %d: %+v, recorder noted %+v", at, m, c)
					}
				}
				at += used
			}
			if at != len(stream) {
				t.Errorf("%d of %d bytes decoded", at, len(stream))
			}
		})
	}
}

// recordedPackets returns the PACKET messages of one capture of a session, nil if its
// data is not in this format.
func recordedPackets(t testing.TB, file string) (messages [][]byte) {
	t.Helper()
	if strings.HasSuffix(file, ".json") {
		var datagrams []struct{ Hex string }
		if err := json.Unmarshal(readFile(t, file), &datagrams); err != nil {
			t.Fatal(err)
		}
		for _, d := range datagrams {
			b, err := hex.DecodeString(d.Hex)
			if err != nil {
				t.Fatal(err)
			}
			if Type(b[1]) != TypePacket {
				return nil
			}
			messages = append(messages, b)
		}
		return messages
	}
	for b := readFile(t, file); len(b) > 0; {
		if Type(b[1]) != TypePacket {
			return nil
		}
		_, _, n, err := ParsePacket(b)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, b[:n])
		b = b[n:]
	}
	return messages
}

// TestVectorsPacket decodes the recorded data connections in plain format, compares
// each packet with the recorder's notes and encodes to the same bytes.
func TestVectorsPacket(t *testing.T) {
	seen := 0
	for _, file := range append(vectorFiles(t, "*.datagrams.json", 8), vectorFiles(t, "*.tcpdata.bin", 4)...) {
		messages := recordedPackets(t, file)
		if messages == nil {
			continue
		}
		capture := 0
		if strings.Contains(file, ".capture2.") {
			capture = 1
		}
		notes := readSession(t, sessionName(file)).Captures[capture].Packets
		if len(notes) != len(messages) {
			t.Fatalf("%s: %d packets, recorder noted %d", file, len(messages), len(notes))
		}
		for i, b := range messages {
			seen++
			m, frame, used, err := ParsePacket(b)
			if err != nil || used != len(b) {
				t.Fatalf("%s: packet %d: used %d of %d: %v", file, i, used, len(b), err)
			}
			n := notes[i]
			if want := (PacketHeader{n.Sec, n.Usec, n.Caplen, n.Len, n.Npkt}); m != want {
				t.Errorf("%s: packet %d: %+v, recorder noted %+v", file, i, m, want)
			}
			if again := append(m.Append(nil), frame...); !bytes.Equal(again, b) {
				t.Errorf("%s: packet %d encodes to other bytes", file, i)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d packets seen", seen)
	}
}

// TestVectorsErrors: the recorded abuse parses or gives an error.
func TestVectorsErrors(t *testing.T) {
	messages, refused := 0, 0
	for _, file := range vectorFiles(t, "errors/*.bin", 190) {
		for b := readFile(t, file); len(b) > 0; {
			h, payload, n, err := splitMessage(b)
			if err != nil {
				refused++
				break
			}
			messages++
			value, again, used, err := decode(h, payload)
			if err != nil {
				refused++
			} else if used > len(payload) || len(again) < HeaderLen {
				t.Errorf("%s: %+v used %d of %d bytes", file, value, used, len(payload))
			}
			b = b[n:]
		}
	}
	if messages < 700 || refused < 20 {
		t.Errorf("%d messages, %d refused: fewer than recorded", messages, refused)
	}
}

// TestVectorsErrorCases: single cases whose outcome the protocol settles.
func TestVectorsErrorCases(t *testing.T) {
	find := func(file string, typ Type, last bool) (h Header, payload []byte) {
		t.Helper()
		found := false
		for b := readFile(t, filepath.Join(vectors, "errors", file)); len(b) > 0; {
			m, p, n, err := splitMessage(b)
			if err != nil {
				break
			}
			if m.Type == typ && (last || !found) {
				h, payload, found = m, p, true
			}
			b = b[n:]
		}
		if !found {
			t.Fatalf("%s: no %s", file, typ)
		}
		return h, payload
	}
	const sensor = ".ctrl.sensor-to-agent.bin"
	for _, peer := range []string{"eh.", "up."} {
		_, p := find(peer+"open_nul_terminated"+sensor, TypeOpenRequest, true)
		if m, n, err := ParseOpenRequest(p); err != nil || n != len(p) || p[n-1] != 0 || strings.ContainsRune(m.Name, 0) || m.Name == "" {
			t.Errorf("%sopen_nul_terminated: %q, %d, %v", peer, m.Name, n, err)
		}
		_, p = find(peer+"auth_long_payload"+sensor, TypeAuthRequest, false)
		if m, n, err := ParseAuthRequest(p); err != nil || n != 8 || m.Type != AuthNull {
			t.Errorf("%sauth_long_payload: %+v, %d, %v", peer, m, n, err)
		}
		_, p = find(peer+"auth_null_with_lengths"+sensor, TypeAuthRequest, false)
		if m, _, err := ParseAuthRequest(p); err != nil || m != (AuthRequest{}) {
			t.Errorf("%sauth_null_with_lengths: %+v, %v", peer, m, err)
		}
		_, p = find(peer+"startcap_extra_payload"+sensor, TypeStartCaptureRequest, false)
		if _, n, err := ParseStartCaptureRequest(p); err != nil || n >= len(p) {
			t.Errorf("%sstartcap_extra_payload: used %d of %d, %v", peer, n, len(p), err)
		}
		for _, c := range []struct {
			file string
			typ  Type
		}{
			{"open_empty", TypeOpenRequest},
			{"startcap_empty_filter", TypeStartCaptureRequest},
			{"startcap_filter_type_2", TypeStartCaptureRequest},
			{"startcap_short_payload", TypeStartCaptureRequest},
			{"updatefilter_nitems_over", TypeUpdateFilterRequest},
			{"setsampling_short", TypeSamplingRequest},
		} {
			h, p := find(peer+c.file+sensor, c.typ, false)
			if v, _, _, err := decode(h, p); err == nil {
				t.Errorf("%s%s: %+v, want an error", peer, c.file, v)
			}
		}
		h, p := find(peer+"endcap_without_capture.ctrl.agent-to-sensor.bin", TypeError, false)
		if e, err := ParseError(h, p); err != nil || e.Code != CodeEndCapture || len(e.Text) != len(p) {
			t.Errorf("%sendcap_without_capture: %v, %v", peer, e, err)
		}
		if _, _, _, err := splitMessage(readFile(t, filepath.Join(vectors, "errors", peer+"tls_hello"+sensor))); err == nil {
			t.Errorf("%stls_hello: taken for a message", peer)
		}
	}
}
