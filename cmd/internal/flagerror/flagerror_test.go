package flagerror

import (
	"errors"
	"testing"

	"github.com/spf13/pflag"
)

func TestPlain(t *testing.T) {
	for arg, want := range map[string]string{
		"--int=x":                    `--int "x": write a whole number`,
		"--int=99999999999999999999": `--int "99999999999999999999": the number is out of range`,
		"--uint=-1":                  `--uint "-1": write a whole number, 0 or more`,
		"--port=65536":               `--port "65536": the number is out of range`,
		"--bool=x":                   `--bool "x": write true or false`,
		"--float=x":                  `--float "x": write a number`,
		"-n=x":                       `--int "x": write a whole number`,
		"--time=x":                   `invalid argument "x" for "--time" flag: time: invalid duration "x"`,
		"--none":                     "unknown flag: --none",
	} {
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.IntP("int", "n", 0, "")
		f.Uint("uint", 0, "")
		f.Uint16("port", 0, "")
		f.Bool("bool", false, "")
		f.Float64("float", 0, "")
		f.Duration("time", 0, "")
		if err := Plain(f.Parse([]string{arg})); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", arg, err, want)
		}
	}
	if err := errors.New("x"); Plain(err) != err {
		t.Error("another error is replaced")
	}
}
