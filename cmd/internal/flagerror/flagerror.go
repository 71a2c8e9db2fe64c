// Package flagerror says in plain words what is wrong with the value of a flag.
package flagerror

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Plain replaces the words of package strconv ("strconv.ParseInt: parsing "x": invalid syntax"), which name a function of
// the program instead of what to write. Other errors stay.
func Plain(err error) error {
	invalid, number := (*pflag.InvalidValueError)(nil), (*strconv.NumError)(nil)
	if !errors.As(err, &invalid) || !errors.As(err, &number) {
		return err
	}
	f := invalid.GetFlag()
	cure := "write a number"
	switch kind := f.Value.Type(); {
	case kind == "bool":
		cure = "write true or false"
	case errors.Is(err, strconv.ErrRange):
		cure = "the number is out of range"
	case strings.HasPrefix(kind, "uint"):
		cure = "write a whole number, 0 or more"
	case strings.HasPrefix(kind, "int"), kind == "count":
		cure = "write a whole number"
	}
	return fmt.Errorf("--%s %q: %s", f.Name, invalid.GetValue(), cure)
}
