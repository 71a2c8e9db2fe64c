package windows

import "testing"

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]Version{
		"1.2.3":                    {MSI: "1.2.3", File: "1.2.3.10000"},
		"1.2":                      {MSI: "1.2.0", File: "1.2.0.10000"},
		"1.2.3~alpha":              {MSI: "1.2.3", File: "1.2.3.1000"},
		"1.2.3~beta2":              {MSI: "1.2.3", File: "1.2.3.2002"},
		"1.2.3~rc1":                {MSI: "1.2.3", File: "1.2.3.4001"},
		"1.2.3+git5.abc1234":       {MSI: "1.2.3", File: "1.2.3.10005"},
		"1.2.3+git99999.abc1234":   {MSI: "1.2.3", File: "1.2.3.65535"},
		"1.2.3+git5.abc1234.dirty": {MSI: "1.2.3", File: "1.2.3.10005"},
		"0.1.0~git113.abc1234":     {MSI: "0.0.113", File: "0.0.113.10000"},
		"0.1.0~git113.ab.dirty":    {MSI: "0.0.113", File: "0.0.113.10000"},
		"255.255.65535":            {MSI: "255.255.65535", File: "255.255.65535.10000"},
	} {
		want.Text = text
		if got, err := ParseVersion(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "dev", "1.2.3-rc1", "256.0.0", "1.256.0", "1.0.65536", "1.2.3.4", "v1.2.3", "1.2.3\n"} {
		if got, err := ParseVersion(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
