package main

import (
	"testing"
)

func TestDescribe(t *testing.T) {
	tests := []struct {
		description string
		dirty       bool
		text, apk   string
	}{
		{"", false, "0.1.0~git113.abc1234", "0.1.0_alpha113"},
		{"", true, "0.1.0~git113.abc1234.dirty", "0.1.0_alpha113"},
		{"v1.2.3-0-gabc1234", false, "1.2.3", "1.2.3"},
		{"1.2-0-gabc1234", false, "1.2", "1.2"},
		{"v1.2.3-5-gabc1234", false, "1.2.3+git5.abc1234", "1.2.3_git5"},
		{"v1.2.3-rc1-0-gabc1234", false, "1.2.3~rc1", "1.2.3_rc1"},
		{"v1.2.3-beta.2-7-gabc1234", false, "1.2.3~beta2+git7.abc1234", "1.2.3_beta2_git7"},
		{"v2.0.0-0-gabc1234", true, "2.0.0.dirty", "2.0.0"},
	}
	for _, tt := range tests {
		v, err := describe(tt.description, 113, "abc1234", tt.dirty)
		if err != nil || v.text != tt.text || v.apk != tt.apk {
			t.Errorf("%q: got %+v, %v, want %s and %s", tt.description, v, err, tt.text, tt.apk)
		}
	}
	for _, bad := range []string{"release-0-gabc1234", "v1.2.3-final-0-gabc1234", "v1.2.3"} {
		if v, err := describe(bad, 113, "abc1234", false); err == nil {
			t.Errorf("%q became %+v", bad, v)
		}
	}
}

func TestGiven(t *testing.T) {
	if v := given("1.2.3~rc1+x"); v.text != "1.2.3~rc1+x" || v.apk != "1.2.3" {
		t.Errorf("got %+v", v)
	}
}

func TestRelink(t *testing.T) {
	shipped := map[string]string{"README.md": "README.md", "docs/A.md": "A.md", "deploy/x.yml": "examples/x.yml"}
	for _, tc := range []struct{ dir, text, want string }{
		{".", "see [docs/A.md](docs/A.md#b), [C](CONTRIBUTING.md)", "see [docs/A.md](A.md#b), C"},
		{"docs", "[a](A.md) [b](../deploy/x.yml) [m(5)](../packaging/m.5) [r](../README.md)", "[a](A.md) [b](examples/x.yml) m(5) [r](README.md)"},
		{"docs", "![The page](images/p.png) and [here](#there), [w](https://example.org/x)", "(picture: The page) and [here](#there), [w](https://example.org/x)"},
	} {
		if got := relink(tc.text, tc.dir, shipped); got != tc.want {
			t.Errorf("%s: %s\nwant %s", tc.text, got, tc.want)
		}
	}
}
