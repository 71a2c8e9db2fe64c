package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// source is the commit that is packaged.
type source struct {
	version  version
	time     time.Time // of all files
	revision string    // the commit; empty outside of a clone
}

// readSource asks git. SOURCE_DATE_EPOCH overrides the time of the commit, as
// reproducible-builds.org has it.
func readSource(text string) (*source, error) {
	s := &source{}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		out, err := git("log", "-1", "--format=%ct")
		if err != nil {
			return nil, fmt.Errorf("%w; outside of a clone set SOURCE_DATE_EPOCH and VERSION", err)
		}
		epoch = out
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read SOURCE_DATE_EPOCH %q: seconds since 1970 are wanted", epoch)
	}
	s.time = time.Unix(seconds, 0).UTC()
	if out, err := git("rev-parse", "HEAD"); err == nil {
		s.revision = out
	}
	if text != "" {
		s.version = given(text)
		return s, nil
	}
	hash, err := git("rev-parse", "--short=7", "HEAD")
	if err != nil {
		return nil, fmt.Errorf("%w; outside of a clone set SOURCE_DATE_EPOCH and VERSION", err)
	}
	count, err := git("rev-list", "--count", "HEAD")
	if err != nil {
		return nil, err
	}
	commits, err := strconv.Atoi(count)
	if err != nil {
		return nil, fmt.Errorf("count commits: %w", err)
	}
	description, err := git("describe", "--tags", "--long", "--match", "v[0-9]*")
	if err != nil {
		description = "" // no tag yet
	}
	changed, err := git("status", "--porcelain", "--untracked-files=no")
	if err != nil {
		return nil, err
	}
	s.version, err = describe(description, commits, hash, changed != "")
	return s, err
}

// epoch is the time of the files for programs that read SOURCE_DATE_EPOCH.
func (s *source) epoch() string { return strconv.FormatInt(s.time.Unix(), 10) }

// git asks also in a clone of another user's, and writes nothing into it.
func git(args ...string) (string, error) {
	return run(nil, "git", append([]string{"--no-optional-locks", "-c", "safe.directory=*"}, args...)...)
}

// run returns what a program prints; its complaint is in the error.
func run(env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		text := strings.TrimSpace(errs.String())
		if errors.Is(err, exec.ErrNotFound) || text == "" {
			text = strings.TrimSpace(string(out))
		}
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, text)
	}
	return strings.TrimSpace(string(out)), nil
}
