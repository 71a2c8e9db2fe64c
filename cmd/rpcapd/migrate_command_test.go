package main

import (
	"slices"
	"testing"
)

func TestSplitCommand(t *testing.T) {
	for line, want := range map[string][]string{
		`"C:\Program Files\rpcapd\rpcapd.exe" -v -d -L -f "C:\Program Files\rpcapd\rpcapd.ini"`: {`C:\Program Files\rpcapd\rpcapd.exe`, "-v", "-d", "-L", "-f", `C:\Program Files\rpcapd\rpcapd.ini`},
		`C:\Program Files\rpcapd\rpcapd.exe -v -d -L -f C:\Program Files\rpcapd\rpcapd.ini`:     {`C:\Program Files\rpcapd\rpcapd.exe`, "-v", "-d", "-L", "-f", `C:\Program Files\rpcapd\rpcapd.ini`},
		`C:\Program Files\rpcapd\rpcapd.EXE -f C:\Program Files\r.INI -t 1400`:                  {`C:\Program Files\rpcapd\rpcapd.EXE`, "-f", `C:\Program Files\r.INI`, "-t", "1400"},
		`c:\rpcapd.exe -f`:             {`c:\rpcapd.exe`, "-f"},
		`c:\rpcapd.exe -f a b`:         {`c:\rpcapd.exe`, "-f", "a", "b"},
		`c:\rpcapd -i "Ethernet 2" ""`: {`c:\rpcapd`, "-i", "Ethernet 2", ""},
		`"c:\no end`:                   {`c:\no end`},
		``:                             {``},
	} {
		program, args := splitCommand(line)
		if got := append([]string{program}, args...); !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", line, got, want)
		}
	}
}
