package health

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rpcapd/sensor/status"
)

// below serves s below /a/b/ as a proxy does, and says where. What is asked for elsewhere is not found.
func below(t *testing.T, s *Server) string {
	t.Helper()
	to, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/a/b/", http.StripPrefix("/a/b", httputil.NewSingleHostReverseProxy(to)))
	proxy := httptest.NewServer(mux)
	t.Cleanup(proxy.Close)
	return proxy.URL + "/a/b/"
}

// addresses are what a page refers to.
var addresses = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)

// TestBelowAPath: every address in the pages leads somewhere when a proxy has put them below a path.
func TestBelowAPath(t *testing.T) {
	f := newFake()
	for range rowsPerPage + 1 { // for the links from page to page
		p := running("web"+strings.Repeat("x", len(f.peers)%40+1), 5, time.Now())
		p.Interface = "eth" + strings.Repeat("0", len(f.peers))
		p.Name = "web/" + p.Interface
		f.peers = append(f.peers, p)
	}
	held := running("a", 0, time.Now())
	held.State, held.Reason = status.StateHeld, "no"
	f.peers = append(f.peers, held)
	base := below(t, serveFake(t, f, nil))
	root, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, page := range []string{"", "?peer=a%2Feth0", "?page=2&sort=rate&order=desc", "?peer=nobody"} {
		code, body, _ := get(t, base+page, nil)
		if code != http.StatusOK {
			t.Fatalf("%s: %d", page, code)
		}
		for _, m := range addresses.FindAllStringSubmatch(body, -1) {
			address := strings.ReplaceAll(m[1], "&amp;", "&")
			to, err := root.Parse(address)
			if err != nil || strings.HasPrefix(address, "/") || !strings.HasPrefix(to.String(), base) {
				t.Errorf("%s refers to %s, which is not below it (%v)", page, address, err)
				continue
			}
			if to.Fragment = ""; seen[to.String()] {
				continue
			}
			seen[to.String()] = true
			if code, _, _ := get(t, to.String(), nil); code != http.StatusOK {
				t.Errorf("%s refers to %s: %d", page, address, code)
			}
		}
	}
	if len(seen) < 30 {
		t.Errorf("only %d addresses", len(seen))
	}
	_, script, _ := get(t, base+"static/page.js", nil)
	if m := regexp.MustCompile("[\"`']/[a-z?#].*").FindString(script); m != "" {
		t.Errorf("the script has an address that is not relative: %s", m)
	}
}

func TestBrowserBelowAPath(t *testing.T) {
	ctx := browser(t, 1280, 800)
	said := complaints(ctx)
	s, _ := faulty(t, 8)
	var display, place string
	do(t, ctx, chromedp.Navigate(below(t, s)), chromedp.WaitVisible("#received polygon"),
		chromedp.Evaluate(`getComputedStyle(document.querySelector(".tiles")).display`, &display),
		chromedp.Click(`a[data-sort="rate"]`), chromedp.WaitVisible(`[aria-sort="descending"]`),
		chromedp.Click(`#table a[href^="?peer="]`), chromedp.WaitVisible("#peer-title"), chromedp.WaitVisible("#received polygon"),
		chromedp.Evaluate(`location.pathname`, &place))
	if display != "grid" || place != "/a/b/" {
		t.Errorf("tiles are shown as %s, the peer at %s", display, place)
	}
	if list := said(); len(list) > 0 {
		t.Errorf("the browser complains: %q", list)
	}
}
