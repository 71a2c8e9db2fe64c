package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"rpcapd/filter"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// oneType is a sensor's program that keeps frames of one EtherType, of 96 bytes each.
func oneType(t uint32) rpcap.Program {
	return rpcap.Program{{Op: 0x28, K: 12}, {Op: 0x15, Jf: 1, K: t}, {Op: 6, K: 96}, {Op: 6}}
}

func userSpace(t *testing.T, p rpcap.Program, snaplen uint32) filter.Program {
	t.Helper()
	f, err := filter.UserSpace(LinkTypeEthernet, filter.Exclusion{}, p, snaplen)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func inKernel(t *testing.T, p rpcap.Program, snaplen uint32) filter.Program {
	t.Helper()
	f, err := filter.Compose(LinkTypeEthernet, filter.Exclusion{}, p, snaplen)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRootUserSpaceFilter(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b", Snaplen: 1000, Filter: userSpace(t, oneType(0x88b5), 1000)})
	in := newInjector(t, "a")
	other := testFrame(200, 9)
	other[13]++
	begun := time.Now()
	yes, tag := testFrame(200, 1), tagged(testFrame(200, 2), 0x8100, 5)
	in.send(other, yes, other, tag, other)
	got := receive(t, s, 2)
	sameFrames(t, [][]byte{yes}, got[:1], 96, begun)
	sameFrames(t, [][]byte{tag}, got[1:], 100, begun) // the tag counts beside what the program keeps
	silent(t, s, 30*time.Millisecond)
	if st := checkSum(t, s); st.Received != 5 || st.Refused != 3 {
		t.Errorf("%+v", st)
	}
}

func TestRootUserSpaceFilterOfTags(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	// "vlan 5" as compiled for live capture: the tag's presence and number are
	// metadata (SKF_AD_VLAN_TAG_PRESENT, SKF_AD_VLAN_TAG).
	const present, tag = 0xfffff000 + 48, 0xfffff000 + 44
	p := rpcap.Program{
		{Op: 0x30, K: present}, {Op: 0x15, Jf: 4, K: 1},
		{Op: 0x28, K: tag}, {Op: 0x54, K: 0xfff}, {Op: 0x15, Jf: 1, K: 5},
		{Op: 6, K: MaxSnaplen}, {Op: 6},
	}
	for name, f := range map[string]filter.Program{"kernel": inKernel(t, p, MaxSnaplen), "user": userSpace(t, p, MaxSnaplen)} {
		s := mustOpen(t, Options{Interface: "b", Filter: f})
		begun := time.Now()
		want := tagged(testFrame(100, 1), 0x88a8, 0x2005)
		newInjector(t, "a").send(testFrame(100, 0), tagged(testFrame(100, 0), 0x8100, 6), want)
		got := receive(t, s, 1)
		t.Log(name)
		sameFrames(t, [][]byte{want}, got, MaxSnaplen, begun)
		silent(t, s, 20*time.Millisecond)
		s.Close()
	}
}

func TestRootFilterChangedUnderLoad(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	// In small blocks, because each of a few frames takes one, and the ring has to bridge a pause of the reader.
	s := mustOpen(t, Options{Interface: "b", Snaplen: 1500, BlockBytes: minBlockBytes, Filter: inKernel(t, oneType(0x88b5), MaxSnaplen)})
	// Each accepts 0x88b5 and one type more; 0x88b6 + i belongs to program i alone.
	either := func(i uint32) rpcap.Program {
		return rpcap.Program{
			{Op: 0x28, K: 12}, {Op: 0x15, Jt: 1, K: 0x88b5}, {Op: 0x15, Jf: 1, K: 0x88b6 + i},
			{Op: 6, K: MaxSnaplen}, {Op: 6},
		}
	}
	var programs []filter.Program
	for i := range uint32(4) {
		if i%2 == 0 {
			programs = append(programs, userSpace(t, either(i), MaxSnaplen))
		} else {
			programs = append(programs, inKernel(t, either(i), MaxSnaplen))
		}
	}
	programs = append(programs, userSpace(t, either(4), MaxSnaplen), inKernel(t, either(5), MaxSnaplen), inKernel(t, either(6), MaxSnaplen))

	const enough = 10 // changes; on a busy machine, more frames come meanwhile
	var n, changes atomic.Uint32
	sent := make(chan struct{})
	in := newInjector(t, "a")
	go func() {
		defer close(sent)
		for seq := uint32(0); seq < 20000 || changes.Load() < enough; seq++ {
			n.Add(1)
			in.try(testFrame(60, seq))
			never := testFrame(60, seq)
			never[13] = 0xff
			in.try(never)
		}
	}()
	changed := make(chan struct{})
	go func() {
		defer close(changed)
		for {
			select {
			case <-sent:
				time.Sleep(30 * time.Millisecond)
				s.Drain(drainLimit)
				return
			case <-time.After(2 * time.Millisecond):
				if err := s.SetFilter(programs[int(changes.Load())%len(programs)]); err != nil {
					t.Error(err)
				}
				changes.Add(1)
			}
		}
	}()
	next := uint32(0)
	for {
		fs, err := s.Next(within(time.Second))
		if err == io.EOF {
			break
		}
		if err != nil && err != os.ErrDeadlineExceeded {
			t.Fatal(err)
		}
		for _, f := range fs {
			if f.Data[13] == 0xff {
				t.Fatal("a frame that no filter accepts")
			}
			if seq := binary.BigEndian.Uint32(f.Data[14:]); seq != next {
				t.Fatalf("frame %d after %d", seq, int(next)-1)
			}
			next++
		}
		s.Release()
	}
	<-changed
	st := checkSum(t, s)
	t.Logf("%d changes, %+v", changes.Load(), st)
	if next != n.Load() || changes.Load() < enough {
		t.Errorf("%d frames of %d with %d changes: %+v", next, n.Load(), changes.Load(), st)
	}
	if st.RingDrops > 0 {
		t.Errorf("%+v", st)
	}
}

func TestRootRefusedFilterChangesNothing(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	s := mustOpen(t, Options{Interface: "b", Filter: onlyType(0x88b5)})
	bad := acceptAll(1)
	bad.Kernel[0].Op = 0xffff
	if err := s.SetFilter(bad); err == nil {
		t.Fatal("accepted")
	}
	if err := s.SetFilter(filter.Program{}); err == nil {
		t.Fatal("accepted")
	}
	other := testFrame(60, 9)
	other[13]++
	newInjector(t, "a").send(other, testFrame(60, 1))
	if got := receive(t, s, 1); !bytes.Equal(got[0].data, testFrame(60, 1)) {
		t.Fatal("another frame")
	}
	checkSum(t, s)
}

func TestUserProgramsOverBlocks(t *testing.T) {
	a, b := new(filter.VM), new(filter.VM)
	var h vmHistory
	newest := uint64(10)
	change := func(vm *filter.VM) { h.change(vm, func() uint64 { return newest }) }
	expect := func(block uint64, want *filter.VM) {
		t.Helper()
		if got := h.at(block); got != want {
			t.Errorf("block %d: %p, want %p", block, got, want)
		}
	}
	expect(1, nil)
	change(a) // kernel to user: it judges what is in the ring too
	expect(5, a)
	change(b)
	expect(6, b)
	change(nil) // user to kernel: what is in the ring has only been judged by the prefix
	expect(7, b)
	expect(11, b)
	newest = 11
	change(nil) // a further change does not move the end
	expect(11, b)
	expect(12, nil)
	expect(11, nil) // never asked backwards; it is forgotten
	change(a)
	change(nil)
	change(b)
	expect(12, b)
	expect(99, b)
}

func TestRootFanout(t *testing.T) {
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	group := new(Fanout)
	var members []*ringSource
	for range 3 {
		members = append(members, mustOpen(t, Options{Interface: "b", Fanout: group, RingBytes: 4 << 20}))
	}
	beside := mustOpen(t, Options{Interface: "b", Fanout: new(Fanout)}) // another group gets everything
	in := newInjector(t, "a")

	// Both directions of flow i: UDP between two addresses and ports.
	flow := func(i byte, back bool) []byte {
		_, f := superFrame(20)
		f[14+9] = 17
		f[14+2], f[14+3] = 0, byte(len(f)-14)
		src, dst := f[14+12:14+16], f[14+16:14+20]
		copy(src, []byte{10, 1, 0, i})
		copy(dst, []byte{10, 2, 0, 7})
		ports := f[14+20 : 14+24]
		copy(ports, []byte{0x90, i, 0, 53})
		if back {
			for k := range 4 {
				src[k], dst[k] = dst[k], src[k]
			}
			copy(ports, []byte{0, 53, 0x90, i})
		}
		return f
	}
	send := func() {
		for i := range byte(60) {
			in.send(flow(i, false), flow(i, true))
		}
	}
	send()
	if n := len(receive(t, beside, 120)); n != 120 {
		t.Errorf("the other group got %d", n)
	}
	owner := map[byte]int{}
	total, counts := 0, make([]int, len(members))
	collectEach(t, members, 120, func(m int, f udpstr.Frame) {
		i := f.Data[14+15]
		if i == 7 && f.Data[14+13] == 2 {
			i = f.Data[14+19]
		}
		if o, ok := owner[i]; ok && o != m {
			t.Errorf("flow %d at members %d and %d", i, o, m)
		}
		owner[i] = m
		counts[m]++
		total++
	})
	if slices.Contains(counts, 0) {
		t.Errorf("members got %v frames", counts)
	}
	if total != 120 {
		t.Errorf("%d frames of 120", total)
	}

	// Without one member the others take its share; a new one joins the same group.
	members[0].Close()
	send()
	total = 0
	collectEach(t, members[1:], 120, func(int, udpstr.Frame) { total++ })
	if total != 120 {
		t.Errorf("%d frames of 120 after one had left", total)
	}
	members[0] = mustOpen(t, Options{Interface: "b", Fanout: group, RingBytes: 4 << 20})
	send()
	total, counts = 0, make([]int, len(members))
	collectEach(t, members, 120, func(m int, _ udpstr.Frame) { counts[m]++; total++ })
	if slices.Contains(counts, 0) {
		t.Errorf("members got %v frames at the end", counts)
	}
	if total != 120 {
		t.Errorf("%d frames of 120 at the end", total)
	}
	for _, s := range members {
		checkSum(t, s)
		s.Close()
	}
	if len(group.groups) != 0 {
		t.Errorf("groups left: %v", group.groups)
	}
}

func TestRootFanoutNoFrameTwice(t *testing.T) {
	t.Parallel()
	newNamespace(t)
	newVeth(t, "a", "b", 1500)
	in := newInjector(t, "a")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		_, f := superFrame(20)
		f[14+9] = 17
		for seq := uint32(0); ; seq++ {
			select {
			case <-stop:
				return
			default:
				binary.BigEndian.PutUint16(f[14+20:], uint16(seq)) // a flow each
				binary.BigEndian.PutUint32(f[14+36:], seq)
				in.try(f)
			}
		}
	}()
	group := new(Fanout)
	seen := map[uint32]int{}
	note := func(f udpstr.Frame) { seen[binary.BigEndian.Uint32(f.Data[14+36:])]++ }
	first := mustOpen(t, Options{Interface: "b", Fanout: group})
	second := 0
	for range 12 {
		s := mustOpen(t, Options{Interface: "b", Fanout: group, RingBytes: 2 << 20})
		time.Sleep(2 * time.Millisecond)
		for _, m := range []*ringSource{s, first} {
			if m == s {
				if err := m.Drain(drainLimit); err != nil {
					t.Fatal(err)
				}
			}
			for {
				fs, err := m.Next(past)
				if err == os.ErrDeadlineExceeded && m == s {
					time.Sleep(time.Millisecond)
					continue
				}
				if err != nil {
					break
				}
				for _, f := range fs {
					note(f)
				}
				if m == s {
					second += len(fs)
				}
			}
		}
		checkSum(t, s)
		s.Close()
	}
	close(stop)
	<-stopped
	collectAll(t, first, note)
	twice := 0
	for _, n := range seen {
		if n > 1 {
			twice++
		}
	}
	if twice > 0 || second == 0 {
		t.Errorf("%d frames of %d twice; the joining member had %d", twice, len(seen), second)
	}
}

// collectEach hands over the frames of several sources until there are n, and those that come within two retire times of each other.
func collectEach(t *testing.T, sources []*ringSource, n int, take func(source int, f udpstr.Frame)) {
	t.Helper()
	came := 0
	for limit := time.Now().Add(waitLimit); ; {
		before := came
		for i, s := range sources {
			collectAll(t, s, func(f udpstr.Frame) { came++; take(i, f) })
		}
		if came >= n && came == before || time.Now().After(limit) {
			return
		}
	}
}

// collectAll hands over the frames that come within two retire times of each other.
func collectAll(t *testing.T, s Source, take func(udpstr.Frame)) {
	t.Helper()
	for {
		fs, err := s.Next(within(40 * time.Millisecond))
		if err == os.ErrDeadlineExceeded {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			take(f)
		}
	}
}
