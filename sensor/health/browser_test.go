package health

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rpcapd/sensor/status"
)

// browser starts headless Chromium. make test-health installs it; other runs skip.
func browser(t *testing.T, width, height int64) context.Context {
	t.Helper()
	if os.Getenv("TEST_HEALTH") == "" {
		t.Skip("needs Chromium; make test-health runs it")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("make test-health installs Chromium: %v", err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WindowSize(int(width), int(height)), chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(60*time.Second))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	// Without motion: a click must not miss what is still scrolling.
	if err := chromedp.Run(ctx, chromedp.EmulateViewport(width, height), media("light")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// media are a visitor's wishes.
func media(scheme string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	})
}

// do runs actions and ends the test with what failed.
func do(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// picture takes a screenshot of the window. With SCREENSHOTS, a folder, it is kept there (docs/images is made so).
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	var png []byte
	do(t, ctx, chromedp.CaptureScreenshot(&png))
	if len(png) < 10000 {
		t.Errorf("%s: a picture of %d bytes", name, len(png))
	}
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// faulty is a sensor whose page has something to say.
func faulty(t *testing.T, agents int) (*Server, *rack) {
	t.Helper()
	f := newFake()
	s := serveFake(t, f, nil)
	r := newRack(s.tracker, f, agents)
	p := r.byName["web3"]
	p.ClockOffset = 3200 * time.Millisecond
	idle := running("db1", 0, time.Now().Add(-10*time.Minute))
	idle.Name, idle.Interface, idle.State, idle.Format, idle.DataPort = "db1", "", status.StateHeld, "", 0
	idle.Cause = status.CauseNoInterface
	idle.Reason = "no interface of the agent (eth0 10.10.1.40/24) is allowed by a rule of this port (dmz: 192.168.4.0/24)"
	r.byName["zz"] = &idle
	for i := range agents {
		r.grow(fmt.Sprintf("web%d", i+1), uint64(1950*(agents-i)), 0, 0)
	}
	r.set(func() { f.ports[4].KernelDrops, f.ports[1].Foreign = 12345, 17 })
	r.publish()
	s.tracker.step(time.Now().Add(stepTime))
	return s, r
}

// complaints collects what the page's script and policy have to say.
func complaints(ctx context.Context) func() []string {
	var mu sync.Mutex
	var list []string
	chromedp.ListenTarget(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			list = append(list, e.ExceptionDetails.Error())
		case *cdplog.EventEntryAdded:
			list = append(list, e.Entry.Text)
		}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(list)
	}
}

func TestBrowserPage(t *testing.T) {
	ctx := browser(t, 1280, 1240)
	said := complaints(ctx)
	s, _ := faulty(t, 12)
	var title, text string
	do(t, ctx, chromedp.Navigate(s.URL()), chromedp.WaitVisible("#received polygon"), chromedp.Title(&title), chromedp.Text("#problems", &text))
	for _, want := range []string{"12,345 datagrams on port 2007", "3.2 s ahead", "web2/eth0 drops frames in its ring", "db1 is held", "rmem_max"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	if title != "(3) rpcap-sensor" {
		t.Errorf("title %q", title)
	}
	picture(t, ctx, "health.png")
	if list := said(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}

// TestBrowserClicks: sorting, searching, a peer of its own, going back, the time of the charts, pausing.
func TestBrowserClicks(t *testing.T) {
	ctx := browser(t, 1280, 1000)
	said := complaints(ctx)
	s, r := faulty(t, 12)
	first := func() (name string) {
		do(t, ctx, chromedp.Text(".peers tbody tr:first-child th", &name))
		return strings.TrimSpace(name)
	}
	settled := func(what, condition string) {
		t.Helper()
		if err := chromedp.Run(ctx, chromedp.Poll(condition, nil, chromedp.WithPollingTimeout(10*time.Second))); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	do(t, ctx, chromedp.Navigate(s.URL()), chromedp.WaitVisible("#received polygon"), chromedp.Click(`a[data-sort=missing]`))
	settled("sorting", `document.querySelector("th[aria-sort=descending] a")?.dataset.sort === "missing"`)
	if got := first(); got != "web4/eth0" {
		t.Errorf("the one that has lost most is %s", got)
	}
	do(t, ctx, chromedp.SendKeys("#filter input", "web1"))
	settled("searching", `document.querySelectorAll(".peers tbody tr").length === 4`) // 1, 10, 11, 12
	var url string
	do(t, ctx, chromedp.Location(&url))
	if !strings.Contains(url, "q=web1") || !strings.Contains(url, "sort=missing") {
		t.Errorf("what is shown cannot be passed on: %s", url)
	}
	do(t, ctx, chromedp.Evaluate(`document.querySelector("#filter input").select()`, nil), chromedp.KeyEvent("web"))
	settled("searching again", `document.querySelectorAll(".peers tbody tr").length === 12`)
	do(t, ctx, chromedp.Click(`.peers tbody tr:first-child a`), chromedp.WaitVisible("#peer-title"), chromedp.WaitVisible("#received polygon"))
	settled("chart of one peer", `document.querySelectorAll("#received .legend li").length === 2`) // itself and what is missing
	do(t, ctx, chromedp.NavigateBack(), chromedp.WaitNotPresent("#peer-title"), chromedp.WaitVisible("#received polygon"))

	do(t, ctx, chromedp.Click(`//button[text()="5 min"]`))
	settled("time of the charts", `document.querySelector("#received svg").getAttribute("aria-label").includes("last 5 minutes")`)
	r.set(func() { r.fakeSensor.counters.Refused, r.fakeSensor.counters.Unwanted = 9876, 9876 })
	s.tracker.step(time.Now().Add(2 * stepTime))
	settled("news", `document.querySelector("#problems").textContent.includes("connections were turned away")`)
	do(t, ctx, chromedp.Click("#pause"))
	settled("pausing", `document.querySelector("#pause").getAttribute("aria-pressed") === "true"`)
	if list := said(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}

// TestBrowserKeyboard: everything can be reached and used with keys alone, and an update does not take the focus away.
func TestBrowserKeyboard(t *testing.T) {
	ctx := browser(t, 1280, 1000)
	s, _ := faulty(t, 12)
	active := func(expression string) (value string) {
		do(t, ctx, chromedp.Evaluate(`String(document.activeElement.`+expression+`)`, &value))
		return value
	}
	do(t, ctx, chromedp.Navigate(s.URL()), chromedp.WaitVisible("#received polygon"), chromedp.KeyEvent(kb.Tab))
	if got := active("className"); got != "skip" {
		t.Errorf("the first stop is %q", got)
	}
	do(t, ctx, chromedp.KeyEvent("/"), chromedp.KeyEvent("web3"))
	if got := active("value"); got != "web3" {
		t.Errorf("the search field has %q", got)
	}
	do(t, ctx, chromedp.Poll(`document.querySelectorAll(".peers tbody tr").length === 1`, nil, chromedp.WithPollingTimeout(10*time.Second)))
	reached := make(map[string]bool)
	for range 80 {
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		reached[active(`closest("[id]")?.id`)] = true
		if active("dataset.sort") == "captured" {
			break
		}
	}
	do(t, ctx, chromedp.KeyEvent(kb.Enter), chromedp.Poll(`document.querySelector("th[aria-sort] a").dataset.sort === "captured"`, nil, chromedp.WithPollingTimeout(10*time.Second)))
	time.Sleep(6 * time.Second) // one update
	if got := active("dataset.sort"); got != "captured" {
		t.Errorf("after an update the focus is on %q", active("outerHTML"))
	}
	do(t, ctx, chromedp.Focus("#received svg"), chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(kb.ArrowLeft))
	var moment string
	do(t, ctx, chromedp.Text("#received .moment", &moment))
	if !strings.HasPrefix(moment, "At ") || !strings.Contains(moment, "frames/s") {
		t.Errorf("the chart says %q", moment)
	}
}

// TestBrowserThousandPeers: the page comes at once and stays small.
func TestBrowserThousandPeers(t *testing.T) {
	ctx := browser(t, 1280, 1000)
	s, _ := faulty(t, 1000)
	begin := time.Now()
	var rows, nodes int
	do(t, ctx, chromedp.Navigate(s.URL()), chromedp.WaitVisible("#received polygon"),
		chromedp.Evaluate(`document.querySelectorAll(".peers tbody tr").length`, &rows), chromedp.Evaluate(`document.querySelectorAll("*").length`, &nodes))
	if took := time.Since(begin); rows != rowsPerPage || nodes > 3000 || took > 15*time.Second {
		t.Errorf("%d rows, %d elements after %v", rows, nodes, took)
	}
	do(t, ctx, chromedp.Click(`a[data-page=next]`), chromedp.Poll(`document.querySelector(".pages").textContent.includes("Page 2 of 21")`, nil, chromedp.WithPollingTimeout(10*time.Second)))
}

// TestBrowserWithoutScript: all numbers are there.
func TestBrowserWithoutScript(t *testing.T) {
	ctx := browser(t, 1280, 1000)
	s, _ := faulty(t, 12)
	var text string
	do(t, ctx, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(s.URL()), chromedp.Click(`a[data-sort=dropped]`),
		chromedp.WaitVisible(`th[aria-sort=descending]`), chromedp.Text("main", &text))
	if !strings.Contains(text, "124,500") || !strings.Contains(text, "drawn by a script") {
		t.Errorf("the page says:\n%s", text)
	}
}

func TestBrowserNarrow(t *testing.T) {
	ctx := browser(t, 400, 1500)
	s, _ := faulty(t, 12)
	var wide bool
	do(t, ctx, chromedp.Navigate(s.URL()), chromedp.WaitVisible("#received polygon"),
		chromedp.Evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &wide))
	if wide {
		t.Error("at 400 px the page must be moved sideways")
	}
	picture(t, ctx, "health-narrow.png")
}

// TestBrowserDark: the colours of the dark are used, and the page of one peer has its numbers.
func TestBrowserDark(t *testing.T) {
	ctx := browser(t, 1280, 1240)
	s, _ := faulty(t, 12)
	var text, back string
	do(t, ctx, media("dark"), chromedp.Navigate(s.URL()+"?peer=web4%2Feth0"), chromedp.WaitVisible("#received polygon"), chromedp.Text("#peer", &text),
		chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor`, &back))
	if !strings.Contains(text, "53,100") || !strings.Contains(text, "10.10.0.24:40003") {
		t.Errorf("the page of a peer says:\n%s", text)
	}
	if back != "rgb(18, 22, 28)" {
		t.Errorf("background %s", back)
	}
	do(t, ctx, chromedp.Evaluate(`document.querySelector("#charts").scrollIntoView({behavior: "instant"})`, nil))
	picture(t, ctx, "health-dark.png")
}
