package environment

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// SetFlag gives a flag the value of a variable, unless the command line has given it one, which set tells. A list has its
// values with commas or on lines of their own.
func SetFlag(flags *pflag.FlagSet, name string, v Value) (set bool, err error) {
	f := flags.Lookup(name)
	if f == nil || f.Changed {
		return false, nil
	}
	texts := []string{v.Text}
	switch f.Value.Type() {
	case "bool":
		switch strings.ToLower(v.Text) {
		case "yes", "on":
			texts = []string{"true"}
		case "no", "off":
			texts = []string{"false"}
		}
	case "stringArray":
		texts = strings.FieldsFunc(v.Text, func(r rune) bool { return r == ',' || r == '\n' || r == ' ' || r == '\t' })
	}
	for _, text := range texts {
		if err := flags.Set(name, text); err != nil {
			return false, fmt.Errorf("%s: %w", v.Place(), unflagged(err, v.Text))
		}
	}
	return true, nil
}

// unflagged is the reason of a refusal without the flag, which nobody has given.
func unflagged(err error, value string) error {
	text := err.Error()
	if _, reason, found := strings.Cut(text, " flag: "); found && strings.HasPrefix(text, "invalid argument") {
		return fmt.Errorf("%q: %s", value, reason)
	}
	return err
}
