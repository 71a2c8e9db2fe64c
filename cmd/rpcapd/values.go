package main

import (
	"fmt"

	"rpcapd/config"
)

// targetsValue is -a, which may be repeated.
type targetsValue struct{ list *[]config.Target }

func (v *targetsValue) Set(text string) error {
	list, err := config.ParseTargets(text)
	*v.list = append(*v.list, list...)
	return err
}

func (v *targetsValue) String() string { return "" }
func (v *targetsValue) Type() string   { return "sensors" }

// parsedValue is a flag whose text a function of another package reads.
type parsedValue[T any] struct {
	parse func(string) (T, error)
	value *T
	kind  string
	text  string
}

func parsed[T any](kind string, parse func(string) (T, error), value *T) *parsedValue[T] {
	return &parsedValue[T]{parse: parse, value: value, kind: kind}
}

func (v *parsedValue[T]) Set(text string) (err error) {
	v.text = text
	*v.value, err = v.parse(text)
	return err
}

func (v *parsedValue[T]) String() string { return v.text }
func (v *parsedValue[T]) Type() string   { return v.kind }

// threadValue is -c or -e, which have one number for each thread of the C agent.
type threadValue struct {
	parse func(string) (int, bool, error)
	value *int
	two   *bool
	text  string
}

func (v *threadValue) Set(text string) (err error) {
	v.text = text
	*v.value, *v.two, err = v.parse(text)
	return err
}

func (v *threadValue) String() string { return v.text }
func (v *threadValue) Type() string   { return "number" }

// refusal is a flag of the C agent that cannot be accepted, with the reason.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

type refusedValue struct{ letter, why string }

func (v refusedValue) Set(string) error {
	return &refusal{fmt.Sprintf("-%s is refused: %s", v.letter, v.why)}
}

func (v refusedValue) String() string { return "" }
func (v refusedValue) Type() string   { return "refused" }
