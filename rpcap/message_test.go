package rpcap

import (
	"bytes"
	"encoding/hex"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// example is one message of each kind, as bytes written by hand from the protocol's
// tables and as the value they mean.
type example struct {
	name  string
	bytes string // hex, spaces for reading
	value any
}

func examples() []example {
	zero := strings.Repeat("00", 128)
	addr := func(head string) string { h := strings.ReplaceAll(head, " ", ""); return h + zero[len(h):] }
	return []example{
		{"error", "00 01 0006 00000005 6e6f 20 6966", &Error{CodeOpen, "no if"}},
		{"error without text", "00 01 0010 00000000", &Error{Code: CodeWrongMessage}},
		{"findallif request", "00 02 0000 00000000", TypeFindAllRequest},
		{"empty list", "00 82 0000 00000000", NewInterfaceList()},
		{"list", "00 82 0002 0000042f" +
			"0004 000c 00000006 0002 0000" + hex.EncodeToString([]byte("cap0;preselected")) +
			addr("0011 0000 03000000 0100 00 06 0200000055b2 0000") + zero +
			addr("0011 0000 03000000 0100 00 06 ffffffffffff 0000") + zero +
			addr("000a 0000 00000000 fe800000000000000000000000000001 00000003") +
			addr("000a 0000 00000000 ffffffffffffffff0000000000000000") + zero + zero +
			"0007 0000 00000000 0000 0000" + hex.EncodeToString([]byte("bluetooth"[:7])),
			NewInterfaceList(
				Interface{Name: "cap0", Description: ";preselected", Flags: InterfaceUp | InterfaceRunning, Addresses: []Address{{
					Addr:      LinkLayerBlock(3, 1, net.HardwareAddr{2, 0, 0, 0, 0x55, 0xb2}),
					Broadcast: LinkLayerBlock(3, 1, net.HardwareAddr{255, 255, 255, 255, 255, 255}),
				}, {
					Addr:    IPv6Block(netip.MustParseAddr("fe80::1%3"), FamilyIPv6Linux),
					Netmask: IPv6Block(netip.MustParseAddr("ffff:ffff:ffff:ffff::"), FamilyIPv6Linux),
				}}},
				Interface{Name: "bluetoo"})},
		{"open request", "00 03 0000 00000004 63617030", OpenRequest{"cap0"}},
		{"open reply", "00 83 0000 00000008 00000001 00000000", OpenReply{LinkType: 1}},
		{"startcap request", "00 04 0000 00000024 0000ffff 00000064 0007 b77f" +
			"0001 0000 00000002 0028 00 01 0000000c 0006 00 00 00040000",
			StartCaptureRequest{65535, 100, FlagPromiscuous | FlagDatagram | FlagServerOpen, 46975,
				Program{{Op: 0x28, Jf: 1, K: 12}, {Op: 6, K: 262144}}}},
		{"startcap reply", "00 84 0000 00000008 00040000 07d4 0000", StartCaptureReply{262144, 2004}},
		{"updatefilter request", "00 05 0000 00000010 0001 0000 00000001 0006 00 00 00040000", UpdateFilterRequest{AcceptAll()}},
		{"updatefilter reply", "00 85 0000 00000000", TypeUpdateFilterReply},
		{"close", "00 06 0000 00000000", TypeClose},
		{"auth request, null", "00 08 0000 00000008 0000 0000 0000 0000", AuthRequest{}},
		{"auth request, password", "00 08 0000 0000000c 0001 0000 0001 0003 61 626364", AuthRequest{AuthPassword, "a", "bcd"}},
		{"auth reply, empty", "00 88 0000 00000000", AuthReply{}},
		{"auth reply, versions", "00 88 0000 00000002 00 03", AuthReply{Form: AuthReplyVersions, MaxVersion: 3}},
		{"auth reply, little-endian", "00 88 0000 00000008 00 00 0000 d4c3b2a1", AuthReply{Form: AuthReplyMagic, ByteOrder: LittleEndian}},
		{"auth reply, big-endian", "00 88 0000 00000008 01 02 0000 a1b2c3d4", AuthReply{Form: AuthReplyMagic, MinVersion: 1, MaxVersion: 2, ByteOrder: BigEndian}},
		{"stats request", "00 09 0000 00000000", TypeStatsRequest},
		{"stats reply", "00 89 0000 00000010 00000025 00000001 00000002 00000022", StatsReply{37, 1, 2, 34}},
		{"endcap request", "00 0a 0000 00000000", TypeEndCaptureRequest},
		{"endcap reply", "00 8a 0000 00000000", TypeEndCaptureReply},
		{"setsampling request", "00 0b 0000 00000008 01 00 0000 0000000a", SamplingRequest{SamplingOneInN, 10}},
		{"setsampling reply", "00 8b 0000 00000000", TypeSamplingReply},
	}
}

func (e example) message(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(e.bytes, " ", ""))
	if err != nil {
		t.Fatalf("%s: %v", e.name, err)
	}
	return b
}

func (e example) append(dst []byte) []byte {
	if t, ok := e.value.(Type); ok {
		return AppendEmpty(dst, t)
	}
	return e.value.(interface{ Append([]byte) []byte }).Append(dst)
}

func TestMessages(t *testing.T) {
	for _, e := range examples() {
		t.Run(e.name, func(t *testing.T) {
			want := e.message(t)
			h, payload, used, err := splitMessage(want)
			if err != nil || used != len(want) {
				t.Fatalf("split used %d of %d: %v", used, len(want), err)
			}
			value, again, n, err := decode(h, payload)
			if err != nil {
				t.Fatal(err)
			}
			if n != len(payload) {
				t.Errorf("used %d of %d payload bytes", n, len(payload))
			}
			if l, ok := value.(InterfaceList); ok {
				if !reflect.DeepEqual(all(l), all(e.value.(InterfaceList))) || !bytes.Equal(NewInterfaceList(all(l)...).Append(nil), want) {
					t.Errorf("decoded %+v", all(l))
				}
			} else if !reflect.DeepEqual(value, e.value) {
				t.Errorf("decoded %+v, want %+v", value, e.value)
			}
			if !bytes.Equal(again, want) {
				t.Errorf("encoded again % x\nwant          % x", again, want)
			}
			// Append extends what is there and leaves it alone.
			if got := e.append([]byte("before")); string(got[:6]) != "before" || !bytes.Equal(got[6:], want) {
				t.Errorf("appended % x\nwant     % x", got[6:], want)
			}
		})
	}
}

func all(l InterfaceList) (s []Interface) {
	for i := range l.All() {
		s = append(s, i)
	}
	return s
}

// TestPrefixes: a message that ends early is an error at any byte, and so is a payload
// that does, where its length does not choose its meaning.
func TestPrefixes(t *testing.T) {
	messages := map[string][]byte{}
	for _, e := range examples() {
		messages[e.name] = e.message(t)
	}
	for _, file := range vectorFiles(t, "*.ctrl.*.bin", 22) {
		for b := readFile(t, file); len(b) > 0; {
			_, _, n, err := splitMessage(b)
			if err != nil {
				t.Fatal(err)
			}
			messages[file+" "+hex.EncodeToString(b[:min(n, 12)])] = b[:n]
			b = b[n:]
		}
	}
	for name, m := range messages {
		for i := range m {
			if h, _, n, err := splitMessage(m[:i]); err == nil {
				t.Fatalf("%s: %d of %d bytes taken for a message: %+v, %d used", name, i, len(m), h, n)
			}
		}
		h, payload, _, _ := splitMessage(m)
		switch h.Type {
		case TypeOpenRequest, TypeAuthReply: // any length has a meaning, or is refused in its own test
			continue
		}
		for i := range payload {
			if v, _, _, err := decode(h, payload[:i:i]); err == nil {
				t.Fatalf("%s: %d of %d payload bytes gave %+v", name, i, len(payload), v)
			}
		}
	}
}

// TestSurplus: bytes after what a message needs are not used and do no harm.
func TestSurplus(t *testing.T) {
	for _, e := range examples() {
		m := e.message(t)
		h, payload, _, _ := splitMessage(m)
		switch h.Type {
		case TypeOpenRequest, TypeError: // the payload is the text
			continue
		case TypeAuthReply:
			if len(payload) < 8 {
				continue
			}
		}
		more := append(append([]byte(nil), payload...), 0xde, 0xad, 0xbe, 0xef)
		h.PayloadLen += 4
		_, again, used, err := decode(h, more)
		if err != nil || used != len(payload) || !bytes.Equal(again, m) {
			t.Errorf("%s: used %d of %d, want %d: %v", e.name, used, len(more), len(payload), err)
		}
	}
}

func TestTypeNames(t *testing.T) {
	for i := range 256 {
		typ := Type(i)
		name := typ.String()
		if request, ok := strings.CutSuffix(name, "_REQ"); ok {
			if got, want := typ.Reply().String(), request+"_REPLY"; got != want {
				t.Errorf("reply to %s is %s, want %s", name, got, want)
			}
		}
	}
	for typ, want := range map[Type]string{1: "ERROR", 6: "CLOSE", 7: "PACKET", 0x82: "FINDALLIF_REPLY", 0x8b: "SETSAMPLING_REPLY", 0x81: "type 129", 0: "type 0", 0x86: "type 134"} {
		if typ.String() != want {
			t.Errorf("%d is %s, want %s", uint8(typ), typ, want)
		}
	}
}

func TestHeader(t *testing.T) {
	h := Header{Version: 1, Type: 0xfe, Value: 0x1234, PayloadLen: 0xfedcba98}
	b := h.Append(nil)
	if want := []byte{1, 0xfe, 0x12, 0x34, 0xfe, 0xdc, 0xba, 0x98}; !bytes.Equal(b, want) {
		t.Errorf("% x, want % x", b, want)
	}
	if got, n, err := ParseHeader(b); got != h || n != HeaderLen || err != nil {
		t.Errorf("%+v, %d, %v", got, n, err)
	}
	for i := range b {
		if _, _, err := ParseHeader(b[:i]); err == nil {
			t.Errorf("%d bytes are no header", i)
		}
	}
	// 4 GiB of payload are refused by length, not looked for; the text has the number
	// in full where int has 32 bits too.
	if _, _, _, err := splitMessage(b); err == nil || !strings.Contains(err.Error(), "4275878560") {
		t.Errorf("%v", err)
	}
}

// splitMessage cuts one whole message from the start of b: its header, its payload
// (memory of b) and the bytes used. Less than a whole message is an error; the
// header is returned with it once b holds that much.
func splitMessage(b []byte) (Header, []byte, int, error) {
	h, n, err := ParseHeader(b)
	if err != nil {
		return Header{}, nil, 0, err
	}
	if uint64(len(b)-n) < uint64(h.PayloadLen) {
		return h, nil, 0, short(h.Type.String(), len(b), uint64(n)+uint64(h.PayloadLen))
	}
	end := n + int(h.PayloadLen)
	return h, b[n:end], end, nil
}
