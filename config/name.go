package config

import (
	"errors"
	"fmt"
	"strings"

	"rpcapd/rpcap"
)

// nameWords say what the letters behind a % of Name stand for, and which variables of the environment tell it.
var nameWords = map[byte]struct {
	what      string
	variables []string
}{
	'h': {"the host name", nil},
	'n': {"the name of the node", []string{"RPCAPD_NODE_NAME", "NODE_NAME"}},
	'p': {"the name of the pod", []string{"RPCAPD_POD_NAME", "POD_NAME"}},
}

// checkName checks Name, which stays as it is written until it is expanded.
func checkName(value string) error {
	_, err := expandName(value, func(byte) (string, error) { return "x", nil })
	return err
}

// expandName puts in what word says for each letter.
func expandName(value string, word func(letter byte) (string, error)) (string, error) {
	var b strings.Builder
	for rest := value; rest != ""; {
		text, after, found := strings.Cut(rest, "%")
		b.WriteString(text)
		if !found {
			break
		}
		if after == "" {
			return "", badValue(value, "a % is followed by h, n, p or %")
		}
		letter := after[0]
		rest = after[1:]
		if letter == '%' {
			b.WriteByte('%')
			continue
		}
		if _, known := nameWords[letter]; !known {
			return "", badValue(value, "a % is followed by h (host), n (node), p (pod) or %")
		}
		text, err := word(letter)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	name := b.String()
	if err := rpcap.CheckAgentName(name); err != nil {
		return "", badValue(name, err.Error())
	}
	return name, nil
}

// ExpandName sets SensorName, which the letters in Name are expanded for. A variable of the environment that is needed and not set
// is an error.
func (a *Agent) ExpandName(path string, host func() (string, error), env func(string) string) Problems {
	a.SensorName = ""
	if a.Name == "" {
		return nil
	}
	name, err := expandName(a.Name, func(letter byte) (string, error) {
		w := nameWords[letter]
		if w.variables == nil {
			text, err := host()
			if err == nil && text == "" {
				err = errors.New("the system has none")
			}
			if err != nil {
				return "", fmt.Errorf("%%%c is %s: %w", letter, w.what, err)
			}
			return text, nil
		}
		for _, v := range w.variables {
			if text := env(v); text != "" {
				return text, nil
			}
		}
		return "", fmt.Errorf("%%%c is %s, which the environment variable %s tells, and it is not set; set it from the downward API, or write a name without %%%c",
			letter, w.what, strings.Join(w.variables, " or "), letter)
	})
	if err != nil {
		p := a.Places.Problem("", "Name", "Name "+err.Error())
		p.File = path
		return Problems{p}
	}
	a.SensorName = name
	return nil
}
