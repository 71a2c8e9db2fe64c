package page

import (
	"slices"
	"strings"
	"testing"
)

// TestAnchors: as GitHub has them.
func TestAnchors(t *testing.T) {
	p := Parse("docs/X.md", []byte(strings.ReplaceAll(`# The *first* one
## Limit its cost
## "ifname=" – what's `+"`new`"+`?
## Limit its cost
## [A link](Y.md#z) & more_of it
`, "\r", "")))
	want := []string{"the-first-one", "limit-its-cost", "ifname--whats-new", "limit-its-cost-1", "a-link--more_of-it"}
	var got []string
	for _, h := range p.Headings {
		got = append(got, h.Anchor)
	}
	if !slices.Equal(got, want) {
		t.Errorf("anchors %q, want %q", got, want)
	}
	if p.Headings[3].Line != 4 || p.Title() != "The first one" {
		t.Errorf("%+v", p.Headings)
	}
	if len(p.Links) != 1 || p.Links[0].Line != 5 {
		t.Errorf("links %+v", p.Links)
	}
}

func TestLocal(t *testing.T) {
	for _, x := range []struct{ to, name, anchor string }{
		{"Y.md#z", "docs/Y.md", "z"},
		{"../README.md", "README.md", ""},
		{"#here", "", "here"},
		{"consumers/zeek.md", "docs/consumers/zeek.md", ""},
	} {
		name, anchor, outside := Link{To: x.to}.Local("docs/X.md")
		if name != x.name || anchor != x.anchor || outside {
			t.Errorf("%s: %q %q %v", x.to, name, anchor, outside)
		}
	}
	if _, _, outside := (Link{To: "https://npcap.com/#x"}).Local("docs/X.md"); !outside {
		t.Error("https: is outside")
	}
}

// TestTags: what the words behind the fence mean, and what is wrong about others.
func TestTags(t *testing.T) {
	for info, want := range map[string]struct {
		tag   Tag
		wrong string
	}{
		"sh run":           {Run, ""},
		"console run long": {RunLong, ""},
		"ini parse":        {Parsed, ""},
		"text":             {Untagged, ""},
		"powershell untested: no PowerShell here": {Untested, ""},
		"":                {Untagged, "no language"},
		"sh":              {Untagged, "no tag"},
		"sh runs":         {Untagged, "can be run"},
		"ini run":         {Untagged, "can be run"},
		"sh untested":     {Untagged, "is none of"},
		"sh untested: no": {Untested, "needs a reason"},
		"shell parse":     {Untagged, "is none of text"},
		"text parse":      {Untagged, "needs no tag"},
	} {
		p := Parse("docs/X.md", []byte("# X\n\n```"+info+"\nx\n```\n"))
		if len(p.Blocks) != 1 {
			t.Fatalf("%q: %d blocks", info, len(p.Blocks))
		}
		b := p.Blocks[0]
		if b.Tag != want.tag && want.wrong == "" || (b.Wrong == "") != (want.wrong == "") || !strings.Contains(b.Wrong, want.wrong) {
			t.Errorf("%q: tag %d, wrong %q", info, b.Tag, b.Wrong)
		}
		if b.Where() != "docs/X.md:4" {
			t.Errorf("%q: at %s", info, b.Where())
		}
	}
	if p := Parse("docs/X.md", []byte("# X\n\n    rpcapd check\n")); len(p.Blocks) != 1 || !p.Blocks[0].Indented {
		t.Errorf("indented: %+v", p.Blocks)
	}
}

// TestCommandsOf: the command lines of a program, however they are written.
func TestCommandsOf(t *testing.T) {
	text := "# X\n\n```sh parse\n" + `sudo rpcapd setup --sensor "a b" && systemctl reload rpcapd
rpcap-sensor -w - | tcpdump -n -r -   # rpcapd none
ip netns exec ids /usr/sbin/rpcapd check \
  -f $HOME/x.ini >log 2>&1
N=$(timeout 5 rpcapd status --json)
cat >rpcapd.ini <<'END'
rpcapd nothing
END
` + "```\n\n```sh untested: nobody has one\nrpcapd frobnicate\n```\n\n```console parse\n$ rpcapd check\nrpcapd printed\n```\n"
	list, err := CommandsOf([]*Page{Parse("docs/X.md", []byte(text))}, "rpcapd")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		got = append(got, strings.TrimPrefix(c.Where(), "docs/X.md:")+" "+strings.Join(c.Words, "|"))
	}
	want := []string{"4 setup|--sensor|a b", "6 check|-f|$HOME/x.ini", "8 status|--json", "19 check"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
