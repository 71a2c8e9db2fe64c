package health

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"rpcapd/sensor"
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
	if err := chromedp.Run(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// do runs actions and ends the test with what failed.
func do(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// picture keeps a screenshot: below SCREENSHOTS, if that is set.
func picture(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	var png []byte
	do(t, ctx, chromedp.FullScreenshot(&png, 100))
	if len(png) < 10000 {
		t.Errorf("%s: a picture of %d bytes", name, len(png))
	}
	if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
		t.Fatal(err)
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
	idle.Name, idle.Interface, idle.State, idle.Format, idle.DataPort = "db1", "", sensor.StateHeld, "", 0
	idle.Reason = "no interface of the agent (eth0 10.10.1.40/24) is allowed by a rule of this port (dmz: 192.168.4.0/24)"
	r.byName["zz"] = &idle
	for i := range agents {
		r.grow(fmt.Sprintf("web%d", i+1), uint64(2000*(agents-i)), 0, 0)
	}
	r.set(func() { f.ports[4].KernelDrops, f.ports[1].Foreign = 12345, 17 })
	r.publish()
	s.tracker.step(time.Now().Add(stepTime))
	return s, r
}

func TestBrowserPage(t *testing.T) {
	ctx := browser(t, 1280, 900)
	s, _ := faulty(t, 12)
	var title, text string
	do(t, ctx, chromedp.Navigate(s.URL()), chromedp.WaitVisible("#received polygon"), chromedp.Title(&title), chromedp.Text("#problems", &text))
	for _, want := range []string{"12,345 datagrams on port 2007", "3.2 s ahead", "web2/eth0 drops frames in its ring", "db1 is held", "rmem_max"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	picture(t, ctx, "health-1280.png")
}

func TestBrowserNarrow(t *testing.T) {
	ctx := browser(t, 400, 800)
	s, _ := faulty(t, 12)
	var wide bool
	do(t, ctx, chromedp.Navigate(s.URL()), chromedp.WaitVisible("#received polygon"),
		chromedp.Evaluate(`document.documentElement.scrollWidth > document.documentElement.clientWidth`, &wide))
	if wide {
		t.Error("at 400 px the page must be moved sideways")
	}
	picture(t, ctx, "health-400.png")
}

// TestBrowserDark: the colours of the dark are used, and the page of one peer has its numbers.
func TestBrowserDark(t *testing.T) {
	ctx := browser(t, 1280, 900)
	s, _ := faulty(t, 12)
	var text, back string
	do(t, ctx, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}),
		chromedp.Navigate(s.URL()+"?peer=web4%2Feth0"), chromedp.WaitVisible("#received polygon"), chromedp.Text("#peer", &text),
		chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor`, &back))
	if !strings.Contains(text, "53,100") || !strings.Contains(text, "10.10.0.24:40003") {
		t.Errorf("the page of a peer says:\n%s", text)
	}
	if back != "rgb(18, 22, 28)" {
		t.Errorf("background %s", back)
	}
	picture(t, ctx, "health-peer-dark.png")
}
