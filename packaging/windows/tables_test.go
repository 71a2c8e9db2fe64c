package windows

import (
	"strings"
	"testing"
)

// TestTables: each line has as many fields as the table has columns, keys are columns, and what conditions and actions name is there.
func TestTables(t *testing.T) {
	list, err := sources.ReadDir("tables")
	if err != nil || len(list) < 10 {
		t.Fatalf("%d tables, %v", len(list), err)
	}
	rows := make(map[string][][]string)
	for _, e := range list {
		text, err := sources.ReadFile("tables/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		var lines [][]string
		for line := range strings.Lines(string(text)) {
			lines = append(lines, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
		name := strings.TrimSuffix(e.Name(), ".idt")
		if len(lines) < 4 || lines[2][0] != name {
			t.Fatalf("%s: no table of this name", e.Name())
		}
		for i, fields := range lines {
			if i != 2 && len(fields) != len(lines[0]) {
				t.Errorf("%s:%d: %d fields, want %d", e.Name(), i+1, len(fields), len(lines[0]))
			}
		}
		for _, key := range lines[2][1:] {
			if !strings.Contains("\t"+strings.Join(lines[0], "\t")+"\t", "\t"+key+"\t") {
				t.Errorf("%s: key %s is no column", e.Name(), key)
			}
		}
		rows[name] = lines[3:]
	}
	has := func(table, key string) bool {
		for _, row := range rows[table] {
			if row[0] == key {
				return true
			}
		}
		return false
	}
	for _, action := range rows["CustomAction"] {
		if !has("InstallExecuteSequence", action[0]) {
			t.Errorf("CustomAction %s is never run", action[0])
		}
	}
	for _, event := range rows["ControlEvent"] {
		if event[2] == "SpawnDialog" && !has("Dialog", event[3]) {
			t.Errorf("ControlEvent: no dialog %s", event[3])
		}
	}
	for _, property := range rows["AppSearch"] {
		if !strings.Contains(";"+strings.Join(secure, ";")+";", ";"+property[0]+";") {
			t.Errorf("AppSearch: %s does not reach the part that runs as an administrator", property[0])
		}
	}
}
