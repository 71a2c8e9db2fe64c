package main

import "testing"

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
