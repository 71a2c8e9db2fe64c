package main

import (
	"cmp"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// validDays is how long hosts accept the list of an apt repository that nobody signs again. Somebody who can hold back new
// lists can hide an update no longer than that. A repository that is forgotten for longer stops all updates.
const validDays = 90

func main() {
	r := repository{out: env("REPO_OUT", "repo"), address: os.Getenv("REPO_URL"), say: func(format string, args ...any) { fmt.Printf("repo: "+format+"\n", args...) }}
	key, days := os.Getenv("REPO_KEY"), env("REPO_VALID_DAYS", strconv.Itoa(validDays))
	flag.StringVar(&r.packages, "packages", "dist", "take the packages from this `folder`")
	flag.StringVar(&r.out, "o", r.out, "`folder` of the repository; what it holds stays (REPO_OUT)")
	flag.StringVar(&r.address, "url", r.address, "`address` that hosts will find the folder at (REPO_URL)")
	flag.StringVar(&key, "key", key, "`file` with a secret key, or home of gpg (REPO_KEY)")
	flag.StringVar(&days, "valid-days", days, "`days` until the lists expire, 0 for never (REPO_VALID_DAYS)")
	flag.BoolVar(&r.newKey, "new-key", false, "the folder may have been signed with another key before")
	flag.Parse()
	if err := r.start(key, days); err != nil {
		fmt.Fprintln(os.Stderr, "repo:", err)
		os.Exit(1)
	}
}

func env(name, otherwise string) string { return cmp.Or(os.Getenv(name), otherwise) }

// repository is what the command line says.
type repository struct {
	packages, out string
	address       string // without a slash at its end
	newKey        bool
	say           func(format string, args ...any)
	key           signer
	now           time.Time
	valid         time.Duration // 0: for ever
}

// start checks the arguments, and makes the repository.
func (r *repository) start(key, days string) error {
	n, err := strconv.Atoi(days)
	if err != nil || n < 0 || n > 3650 {
		return fmt.Errorf("REPO_VALID_DAYS=%q: write a number of days, 0 for no limit", days)
	}
	r.valid = time.Duration(n) * 24 * time.Hour
	if r.now, err = now(); err != nil {
		return err
	}
	if err := r.checkAddress(); err != nil {
		return err
	}
	if r.key, err = newSigner(key, os.Getenv("REPO_KEY_ID"), os.Getenv("REPO_PASSPHRASE_FILE"), r.now); err != nil {
		return err
	}
	return r.make()
}

// now is the time of everything that is made: SOURCE_DATE_EPOCH, if it is set.
func now() (time.Time, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return time.Now().UTC().Truncate(time.Second), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH=%q: write seconds since 1970", epoch)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// checkAddress refuses what would break the files that hosts fetch.
func (r *repository) checkAddress() error {
	r.address = strings.TrimRight(r.address, "/")
	u, err := url.Parse(r.address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "file" || u.Host == "" && u.Scheme != "file" ||
		u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.ContainsAny(r.address, " \t\r\n\"'<>$`\\") {
		return fmt.Errorf("REPO_URL=%q: write the address that hosts will find the repository at, as in https://packages.example.com/rpcapd", r.address)
	}
	return nil
}

// make takes in the packages, and writes all lists.
func (r *repository) make() error {
	if err := r.checkKey(); err != nil {
		return err
	}
	taken, err := r.takeIn()
	if err != nil {
		return err
	}
	debs, err := r.apt()
	if err != nil {
		return fmt.Errorf("apt: %w", err)
	}
	rpms, err := r.rpm()
	if err != nil {
		return fmt.Errorf("rpm: %w", err)
	}
	if err := r.publishKey(); err != nil {
		return err
	}
	if err := r.pages(debs, rpms); err != nil {
		return err
	}
	r.say("%s has %d deb and %d rpm packages, %d of them new, signed by %s", r.out, len(debs), len(rpms), taken, r.key.fingerprint())
	if r.valid > 0 {
		r.say("apt accepts the lists until %s; run this again before then, also without new packages", r.until().Format(time.DateOnly))
	}
	return nil
}

// until is when the lists expire.
func (r *repository) until() time.Time { return r.now.Add(r.valid) }

// path is a file of the repository.
func (r *repository) path(names ...string) string {
	return filepath.Join(append([]string{r.out}, names...)...)
}
