package windows

import (
	"fmt"
	"regexp"
	"strconv"
)

// Version is one version in the forms that Windows compares.
type Version struct {
	Text string // as packages have it: 1.2.3, 1.2.3~rc1, 1.2.3+git5.abc1234
	MSI  string // three numbers, the last one up to 65535
	File string // four numbers up to 65535
}

var packaged = regexp.MustCompile(`^([0-9]{1,3})(?:\.([0-9]{1,3}))?(?:\.([0-9]{1,5}))?(?:~(alpha|beta|pre|rc)([0-9]{0,3})|([~+])git([0-9]+)\..*)?(?:\+git[0-9]+\..*)?(?:\.dirty)?$`)

// ParseVersion turns the version of a package into those of Windows.
//
// Windows Installer knows three numbers, and calls nothing else newer. So 1.2.3~rc1, 1.2.3 and 1.2.3+git5 are all 1.2.3 to
// it, and replace one another. Before the first tag, 0.1.0~git113 is 0.0.113, which sorts before 0.1.0. The fourth number of
// a file's version keeps all of them apart: candidates, the release, the commits after it.
func ParseVersion(text string) (Version, error) {
	m := packaged.FindStringSubmatch(text)
	if m == nil {
		return Version{}, fmt.Errorf("version %q: an msi needs numbers, as in 1.2.3, 1.2.3~rc1 or 1.2.3+git5.abc1234", text)
	}
	number := func(digits string) int { n, _ := strconv.Atoi(digits); return n } // digits only, or none
	major, minor, patch := number(m[1]), number(m[2]), number(m[3])
	if major > 255 || minor > 255 || patch > 65535 {
		return Version{}, fmt.Errorf("version %q: an msi cannot have more than 255.255.65535", text)
	}
	const release = 10000
	last := release
	switch {
	case m[4] != "":
		last = map[string]int{"alpha": 1000, "beta": 2000, "pre": 3000, "rc": 4000}[m[4]] + number(m[5])
	case m[6] == "~": // no tag yet: all of these sort before the first release
		major, minor, patch = 0, 0, min(number(m[7]), 65535)
	case m[6] == "+":
		last = release + min(number(m[7]), 65535-release)
	}
	msi := fmt.Sprintf("%d.%d.%d", major, minor, patch)
	return Version{Text: text, MSI: msi, File: fmt.Sprintf("%s.%d", msi, last)}, nil
}
