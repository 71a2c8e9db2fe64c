package agent

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/config"
	"rpcapd/rpcap"
	"rpcapd/test/netlab"
)

// rig is one session of an agent without its dialler: tests give it connections, in
// memory or real, one after the other. It works in a synctest bubble, so that half a
// minute of silence costs nothing.
type rig struct {
	t    *testing.T
	x    *session
	logs *logCounter
	file string // the interface that can be captured
}

// newRig makes a session that captures from a file, or from the interfaces of the host
// if file is empty.
func newRig(t *testing.T, file string, change func(*Options)) *rig {
	t.Helper()
	leavesNothing(t)
	r := &rig{t: t, logs: &logCounter{}}
	o := Options{ReadFile: file, Logger: zap.New(r.logs)}
	o.Config.NullAuth = true
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.x, r.file = newSession(s, wish{target: config.Target{Host: "127.0.0.1", Port: 2003, Fanout: 1}}, nil), name(s)
	return r
}

// connect gives the session a connection in memory. ended delivers what the session
// says when it is over, after everything that belonged to it is.
func (r *rig) connect() (p *peer, ended <-chan error) {
	near, far := net.Pipe()
	return &peer{t: r.t, conn: far, wire: rpcap.NewConn(far, rpcap.MaxReplyAccepted)}, r.serve(context.Background(), loopback{near})
}

func (r *rig) serve(ctx context.Context, conn net.Conn) <-chan error {
	ended := make(chan error, 1)
	r.x.conn = conn
	go func() {
		err := r.x.serveConnection(ctx)
		conn.Close()
		ended <- err
	}()
	return ended
}

// loopback is a connection in memory that says it leads to this host.
type loopback struct{ net.Conn }

func (loopback) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2003} }

// logCounter counts log lines by level, and warnings by their text.
type logCounter struct {
	mu       sync.Mutex
	lines    map[zapcore.Level]int
	warnings map[string]int
}

func (l *logCounter) Enabled(v zapcore.Level) bool      { return v >= zapcore.InfoLevel }
func (l *logCounter) With([]zapcore.Field) zapcore.Core { return l }
func (l *logCounter) Sync() error                       { return nil }
func (l *logCounter) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if l.Enabled(e.Level) {
		return c.AddCore(e, l)
	}
	return c
}

func (l *logCounter) Write(e zapcore.Entry, fields []zapcore.Field) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == nil {
		l.lines, l.warnings = make(map[zapcore.Level]int), make(map[string]int)
	}
	l.lines[e.Level]++
	if e.Level >= zapcore.WarnLevel {
		text := e.Message
		for _, f := range fields {
			if err, ok := f.Interface.(error); ok {
				text += ": " + err.Error()
			}
		}
		l.warnings[text]++
	}
	return nil
}

// warned returns the warnings and errors so far, and how many lines they took.
func (l *logCounter) warned() (texts []string, lines int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for text, n := range l.warnings {
		texts, lines = append(texts, text), lines+n
	}
	return texts, lines
}

// footprint is what a process could leak.
type footprint struct {
	heap                       int64 // bytes in use after a collection
	goroutines, files, threads int
}

func measure() footprint {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers kept alive goes with the second one
	runtime.ReadMemStats(&m)
	return footprint{int64(m.HeapAlloc), runtime.NumGoroutine(), openFiles(), threads()}
}

// openFiles counts the descriptors of this process, without those of the Go runtime;
// 0 where there is no /proc.
func openFiles() (n int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.HasPrefix(to, "anon_inode:[event") {
			n++
		}
	}
	return n
}

// threads counts those of this process; 0 where there is no /proc.
func threads() (n int) {
	b, _ := os.ReadFile("/proc/self/status")
	if _, rest, found := strings.Cut(string(b), "\nThreads:"); found {
		fmt.Sscan(rest, &n)
	}
	return n
}

// slopeLimit is how much the heap may grow over so many repetitions of something that
// must leave nothing behind.
const (
	slopeLimit = 1 << 20 // bytes
	slopeOver  = 1000
)

// repetitions is how many there are.
var repetitions = map[bool]int{false: 200, true: slopeOver}[netlab.Full()]

// flat says how to find out that something leaves nothing behind.
type flat struct {
	rounds int
	each   int // repetitions in a round; 0 means 1
	warmUp int // rounds before the first measurement: buffers and pools fill
	// rest is a pause in which ends what ends by itself, before each measurement and
	// now and then.
	rest time.Duration
}

func (f flat) check(t *testing.T, once func(i int)) {
	t.Helper()
	for i := range f.warmUp {
		once(i)
	}
	time.Sleep(f.rest)
	before := measure()
	for i := range f.rounds {
		if i%50 == 0 {
			time.Sleep(f.rest)
		}
		once(f.warmUp + i)
	}
	time.Sleep(f.rest)
	var after footprint
	for range 4000 { // the threads of captures end a moment after them
		after = measure()
		if after.goroutines <= before.goroutines && after.files <= before.files && after.threads <= before.threads+2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	n := f.rounds * max(f.each, 1)
	slope := (after.heap - before.heap) * slopeOver / int64(n)
	t.Logf("%d times: heap %+d bytes per 1,000, goroutines %d → %d, descriptors %d → %d, threads %d → %d",
		n, slope, before.goroutines, after.goroutines, before.files, after.files, before.threads, after.threads)
	if slope >= slopeLimit {
		t.Errorf("the heap grows by %d bytes in 1,000 repetitions", slope)
	}
	// The runtime may need a few threads more, whatever is repeated.
	if after.goroutines > before.goroutines || after.files > before.files || after.threads > before.threads+8 {
		t.Errorf("something is left over: before %+v, after %+v", before, after)
	}
}

// leavesNothing fails a test that ends with more goroutines or descriptors than there
// are now. What was made before must not end with the test.
func leavesNothing(t *testing.T) {
	t.Helper()
	goroutines, files := runtime.NumGoroutine(), openFiles()
	t.Cleanup(func() {
		var now, open int
		for range 4000 { // 40 s on a busy machine
			if now, open = runtime.NumGoroutine(), openFiles(); now <= goroutines && open <= files {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		stacks := make([]byte, 64<<10)
		stacks = stacks[:runtime.Stack(stacks, true)]
		t.Errorf("left over: goroutines %d → %d, descriptors %d → %d\n%s", goroutines, now, files, open, stacks)
	})
}
