package main

import (
	"fmt"
	"regexp"
	"strings"
)

// unreleased is the version that the first tag will have; packages before it sort below.
const unreleased = "0.1.0"

// version is one version in the forms of those who compare it.
type version struct {
	text string // deb and rpm: 1.2.3, 1.2.3~rc1, 1.2.3+git5.abc1234, 0.1.0~git113.abc1234
	apk  string // apk knows only suffixes of its own: 1.2.3, 1.2.3_rc1, 1.2.3_git5
}

// described is what git describe --tags --long says: tag, commits since, hash.
var described = regexp.MustCompile(`^v?([0-9]+(?:\.[0-9]+)*)(?:-(alpha|beta|pre|rc)[.-]?([0-9]*))?-([0-9]+)-g([0-9a-f]+)$`)

// describe turns git's description into a version. A "~" sorts before what it follows
// the end of, and "+" after it (deb-version(7), rpm-version(7)), so that
//
//	0.1.0~git113 < 0.1.0~rc1 ... is not promised, but 1.2.3~rc1 < 1.2.3 < 1.2.3+git5 < 1.2.4 is.
//
// Without a tag the number of commits orders the versions.
func describe(description string, commits int, hash string, dirty bool) (version, error) {
	var v version
	m := described.FindStringSubmatch(description)
	switch {
	case description == "":
		v = version{
			text: fmt.Sprintf("%s~git%d.%s", unreleased, commits, hash),
			apk:  fmt.Sprintf("%s_alpha%d", unreleased, commits),
		}
	case m == nil:
		return v, fmt.Errorf("git describe says %q; tags are v1.2.3 or v1.2.3-rc1", description)
	default:
		v = version{text: m[1], apk: m[1]}
		if m[2] != "" {
			v.text += "~" + m[2] + m[3]
			v.apk += "_" + m[2] + m[3]
		}
		if m[4] != "0" {
			v.text += "+git" + m[4] + "." + m[5]
			v.apk += "_git" + m[4]
		}
	}
	if dirty {
		v.text += ".dirty"
	}
	return v, nil
}

// given takes a version of the command line as it is; apk gets what it understands of it.
func given(text string) version {
	v := version{text: text, apk: text}
	if i := strings.IndexAny(text, "~+"); i >= 0 {
		v.apk = text[:i]
	}
	return v
}
