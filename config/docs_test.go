package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// blocks are the parts of a page that are set as code: between fences, or indented by four.
func blocks(page string) (list []string) {
	var block []string
	end := func() {
		if len(block) > 0 {
			list = append(list, strings.Join(block, "\n"))
		}
		block = nil
	}
	fenced := false
	for line := range strings.SplitSeq(page, "\n") {
		switch indented, is := strings.CutPrefix(line, "    "); {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
			end()
		case fenced:
			block = append(block, line)
		case is:
			block = append(block, indented)
		case strings.TrimSpace(line) == "" && len(block) > 0:
			block = append(block, "")
		default:
			end()
		}
	}
	end()
	return list
}

// TestDocumentedFiles: every configuration that the documentation and the packages show is one that works. A part of the
// sensor's file is taken together with a rule.
func TestDocumentedFiles(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	agents, sensors := 0, 0
	check := func(where, text string) {
		first := ""
		for line := range strings.SplitSeq(text, "\n") {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				first = line
				break
			}
		}
		name, _, assigned := strings.Cut(first, "=")
		switch {
		case assigned && canonical(strings.TrimSpace(name), agentGrammar.top) != "" && strings.Contains(text, "ActiveClient"):
			agents++
			if a, problems := ParseAgent(where, []byte(text)); len(problems) > 0 || len(a.Targets) == 0 {
				t.Errorf("%s:\n%s\n%v", where, text, problems)
			}
		case strings.HasPrefix(first, "[") && strings.HasSuffix(first, "]"),
			assigned && canonical(strings.TrimSpace(name), sensorGrammar.top) != "":
			if strings.Contains(text, "[Service]") || strings.Contains(text, "[Unit]") || strings.Contains(text, "[Match]") || strings.Contains(text, "[NetDev]") {
				return // of systemd
			}
			sensors++
			text, _, _ = strings.Cut(text, "\n$ ") // what follows is a command
			if !strings.Contains(text, "[rule ") {
				text += "\n[rule dmz]\n[rule web]\nPort = 2004\n"
			}
			text = strings.NewReplacer("$2a$11$…", someHash).Replace(text)
			if _, problems := ParseSensor(where, []byte(text)); problems.Err() != nil {
				t.Errorf("%s:\n%s\n%v", where, text, problems)
			}
		}
	}
	for _, name := range append(pages, "../README.md") {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(string(page)) {
			check(name, b)
		}
	}
	for _, name := range []string{"two-interfaces.ini", "password.ini", "two-rules.ini"} {
		text, err := os.ReadFile("../packaging/doc/" + name)
		if err != nil {
			t.Fatal(err)
		}
		check(name, string(text))
	}
	if agents < 3 || sensors < 5 {
		t.Errorf("%d files of the agent and %d of the sensor were found", agents, sensors)
	}
}
