package main

import (
	"os"
	"strings"
	"testing"
)

func TestUpgradeIni(t *testing.T) {
	const old = "ActiveClient = a\nNullAuthPermit = YES\nColour = red\n"
	file := writeFile(t, "rpcapd.ini", old)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs, _ := cli(t, "upgrade-ini", file)
	text, err := os.ReadFile(file)
	if code != 0 || err != nil || string(text) != old+"Lenient = YES\n" || !strings.Contains(out, ":3: warning: Colour: unknown key") || !strings.Contains(out, `"Lenient = YES" was added`) {
		t.Errorf("exit %d: %s%s\n%s", code, out, errs, text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != before.Mode() {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if code, out, _, _ := cli(t, "upgrade-ini", file); code != 0 || out != "" {
		t.Errorf("again: exit %d: %s", code, out)
	}
	if code, _, _, _ := cli(t, "check", file); code != 0 {
		t.Errorf("check: exit %d", code)
	}
}
