package docs

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"rpcapd/config"
	"rpcapd/packaging/page"
)

// TestParse: what is tagged so parses, and so do the scripts that are run.
func TestParse(t *testing.T) {
	parsed := map[string]int{}
	for _, p := range pages(t) {
		for i := range p.Blocks {
			b := &p.Blocks[i]
			if b.Tag == page.Untested || b.Tag == page.Untagged {
				continue
			}
			parsed[b.Language]++
			if err := parse(b); err != nil {
				t.Error(err)
			}
		}
	}
	for _, language := range []string{"sh", "ini"} {
		if parsed[language] < 10 {
			t.Errorf("only %d blocks of %s were parsed", parsed[language], language)
		}
	}
}

// parse returns an error that names the place.
func parse(b *page.Block) (err error) {
	switch b.Language {
	case "sh", "console":
		_, err = b.Commands()
		return err
	case "ini":
		err = parseIni(b.Text)
	case "yaml":
		err = parseYAML(b.Text)
	case "json":
		err = json.Unmarshal([]byte(b.Text), new(any))
	case "go":
		err = parseGo(b.Text)
	default:
		err = fmt.Errorf("nothing here parses %s: write \"untested: the reason\"", b.Language)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", b.Where(), err)
	}
	return nil
}

// systemdSections are those of units and network files of systemd, which are in ini form too.
var systemdSections = []string{"[Unit]", "[Service]", "[Install]", "[Match]", "[NetDev]", "[Network]", "[Socket]", "[Timer]"}

// parseIni reads a block as the program does that it is for: systemd's by its form, the sensor's if it has sections, else the
// agent's or the sensor's. A part of the sensor's file is taken together with rules.
func parseIni(text string) error {
	first := ""
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			first = line
			break
		}
	}
	for _, s := range systemdSections {
		if first == s {
			return parseUnit(text)
		}
	}
	if strings.HasPrefix(text, "[") || strings.Contains(text, "\n[") {
		return parseSensor(text)
	}
	agent := parseAgent(text)
	if agent == nil {
		return nil
	}
	if sensor := parseSensor(text); sensor != nil {
		return fmt.Errorf("as rpcapd.ini: %w; as rpcap-sensor.ini: %w", agent, sensor)
	}
	return nil
}

// someHash stands for what is left out in $2a$11$….
const someHash = "$2a$11$abcdefghijklmnopqrstuuJv0Zr2yXUTXU9m1u9cgj8y1b7k1d3bK"

func parseAgent(text string) error {
	text = strings.ReplaceAll(text, "$2a$10$…", someHash)
	if !strings.Contains(text, "ActiveClient") {
		text += "\nActiveClient = 192.0.2.1\n" // without one the file is complete, but does nothing
	}
	_, problems := config.ParseAgent("rpcapd.ini", []byte(text))
	return problems.Err()
}

func parseSensor(text string) error {
	text = strings.NewReplacer("$2a$10$…", someHash, "$2a$11$…", someHash).Replace(text)
	if !strings.Contains(text, "[rule ") {
		text += "\n[rule dmz]\n[rule web]\nPort = 2004\n"
	}
	_, problems := config.ParseSensor("rpcap-sensor.ini", []byte(text))
	return problems.Err()
}

// parseUnit checks the form of a file of systemd: sections, assignments, comments.
func parseUnit(text string) error {
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		section := strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]")
		name, _, assigned := strings.Cut(line, "=")
		assigned = assigned && name != "" && !strings.ContainsAny(name, " \t")
		if line != "" && line[0] != '#' && !section && !assigned {
			return fmt.Errorf("line %q is no section, assignment, or comment of systemd", line)
		}
	}
	return nil
}

func parseYAML(text string) error {
	d := yaml.NewDecoder(strings.NewReader(text))
	for {
		var v any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// parseGo takes a whole file, or statements.
func parseGo(text string) error {
	_, err := parser.ParseFile(token.NewFileSet(), "", text, 0)
	if err != nil && !strings.HasPrefix(strings.TrimSpace(text), "package ") {
		_, err = parser.ParseFile(token.NewFileSet(), "", "package p; func f() {\n"+text+"\n}", 0)
	}
	return err
}

// TestShippedFiles: every configuration that the packages bring as an example works.
func TestShippedFiles(t *testing.T) {
	for _, name := range []string{"two-interfaces.ini", "password.ini", "two-rules.ini"} {
		text, err := os.ReadFile(repository + "/packaging/doc/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := parseIni(string(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParseBites: what is wrong in a block is found, with its place.
func TestParseBites(t *testing.T) {
	fence := "```"
	for text, want := range map[string]string{
		"sh parse\necho 'open":                                       "docs/X.md:3: reached EOF without closing quote",
		"sh parse\nif true; then\n  echo\n":                          "docs/X.md:3: ",
		"ini parse\nActiveClient = 10.0.0.5, 2003, ifnme=eth1":       "ifnme",
		"ini parse\n[file]\nPath = x.pcapng\nRotateTme = 1h":         "RotateTme",
		"ini parse\n[Service]\nthis is nothing":                      "this is nothing",
		"json parse\n{\"a\": 1,}":                                    "invalid character",
		"yaml parse\na: [1\n":                                        "docs/X.md:3: yaml",
		"hcl parse\nresource {}":                                     "nothing here parses hcl",
		"console parse\n$ echo \\\n  'a\noutput":                     "docs/X.md:4: reached EOF without closing quote",
		"go parse\nx := (":                                           "expected",
		"sh parse\necho fine\n# comment":                             "",
		"console parse\n$ echo it\nisn't parsed (":                   "",
		"ini parse\n# rpcapd.ini\nNullAuthPermit = YES":              "",
		"ini parse\n[tap]\nInterface = rpcap0":                       "",
		"yaml parse\na: 1\n---\nb: 2":                                "",
		"sh run\ncat >x <<'END'\nit's (\nEND\nrpcapd check -f x":     "",
		"ini parse\nAccount = sensor1, $2a$10$…\nMaxCPU = 50":        "",
		"ini parse\nAlias = 10.0.0.5, web1\n[rule web]\nPort = 2004": "",
	} {
		p := page.Parse("docs/X.md", []byte("# X\n"+fence+text+"\n"+fence+"\n"))
		if len(p.Blocks) != 1 || p.Blocks[0].Wrong != "" {
			t.Errorf("%q: %+v", text, p.Blocks)
			continue
		}
		err := parse(&p.Blocks[0])
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && err == nil, err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%q: %v, want %q", text, err, want)
		case err != nil && !strings.HasPrefix(err.Error(), "docs/X.md:"):
			t.Errorf("%q: %v names no place", text, err)
		}
	}
}
