// Package password reads passwords from a terminal, a pipe or a file, without showing them.
package password

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// maxLine bounds what is read of a pipe or file, in bytes.
const maxLine = 64 << 10

// ErrNoTerminal says that nobody can be asked.
var ErrNoTerminal = errors.New("standard input is no terminal")

// Choose reads a new password: asked for twice at a terminal, else the first line of stdin.
func Choose(stdin *os.File, stderr io.Writer) (string, error) {
	first, err := Ask(stdin, stderr, "Password: ")
	if errors.Is(err, ErrNoTerminal) {
		return firstLine(stdin)
	}
	if err != nil {
		return "", err
	}
	second, err := Ask(stdin, stderr, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("read password: the two are not the same")
	}
	return first, nil
}

// Ask reads a password at a terminal. It returns ErrNoTerminal if there is none.
func Ask(stdin *os.File, stderr io.Writer, prompt string) (string, error) {
	fd := int(stdin.Fd())
	if !term.IsTerminal(fd) {
		return "", ErrNoTerminal
	}
	fmt.Fprint(stderr, prompt)
	word, err := term.ReadPassword(fd)
	fmt.Fprintln(stderr)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return string(word), nil
}

// File reads the first line of a file, which must not be empty.
func File(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	defer f.Close() // nothing was written
	line, err := firstLine(f)
	if err == nil && line == "" {
		err = fmt.Errorf("read password: the first line of %s is empty", name)
	}
	return line, err
}

func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
