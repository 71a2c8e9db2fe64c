// Package examine is the doctor command, as both programs have it: which checks run, in what form the report comes, and the archive.
package examine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"rpcapd/config"
	"rpcapd/doctor"
	"rpcapd/doctor/host"
	"rpcapd/numbers"
	"rpcapd/printable"
)

// Options is what a run begins with.
type Options struct {
	Program, Version string
	Out              io.Writer
	Checks           []doctor.Check
	Files            func(context.Context) []doctor.File // of the archive, besides the report; without secrets

	json    bool
	only    []string
	support string
}

// Define defines the flags that both programs have.
func (o *Options) Define(f *pflag.FlagSet) {
	f.StringSliceVar(&o.only, "check", nil, "run only these checks, by their `names`")
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	f.StringVar(&o.support, "support", "", "write this `file` for those who help you: a tar.gz with report, configuration without secrets, status, log, and facts of the host")
}

// usageError is a mistake in the command line.
type usageError struct{ error }

// UsageError returns the mistake in the command line that an error of Run is, nil if it is none.
func UsageError(err error) error {
	if u := (usageError{}); errors.As(err, &u) {
		return u.error
	}
	return nil
}

// Run runs the checks and prints the report. The error says how many have failed.
func (o *Options) Run(ctx context.Context) error {
	checks, err := doctor.Select(o.Checks, o.only)
	if err != nil {
		return usageError{fmt.Errorf("--check: %w", err)}
	}
	if o.support != "" {
		if _, err := os.Lstat(o.support); err == nil {
			return usageError{fmt.Errorf("--support: %s is already there; name another file, or remove it", o.support)}
		}
	}
	r := &doctor.Report{Program: o.Program, Version: o.Version, Host: hostName(), System: host.System(), User: userName(), Time: time.Now(), Results: []doctor.Result{}}
	if !o.json {
		r.Head(o.Out)
	}
	r.Add(doctor.Run(ctx, checks, func(list []doctor.Result) {
		if !o.json {
			for _, x := range list {
				x.Text(o.Out)
			}
		}
	}))
	if err := o.finish(ctx, r); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("doctor: interrupted")
	}
	if n := r.Summary.Failed; n > 0 {
		return fmt.Errorf("doctor: %s failed", numbers.Things(n, "check"))
	}
	return nil
}

// finish prints what comes at the end, and writes the archive.
func (o *Options) finish(ctx context.Context, r *doctor.Report) error {
	b, err := r.JSON()
	if err != nil {
		return err
	}
	if o.json {
		_, err = o.Out.Write(b)
	} else {
		r.Foot(o.Out)
	}
	if err != nil || o.support == "" {
		return err
	}
	r = r.ForArchive()
	if b, err = r.JSON(); err != nil {
		return err
	}
	var text bytes.Buffer
	r.Text(&text)
	files := []doctor.File{{Name: "report.txt", Data: text.Bytes()}, {Name: "report.json", Data: b}}
	files = append(files, o.Files(ctx)...)
	for i := range files {
		files[i].Data = host.Redact(files[i].Data)
	}
	if err := doctor.WriteArchive(o.support, o.Program+"-support", files, r.Time); err != nil {
		return err
	}
	if !o.json {
		fmt.Fprintf(o.Out, "%s is written: look into it before you pass it on; it has names, addresses and the log of this host, and no passwords or keys\n", o.support)
	}
	return nil
}

// Problem is the result for a problem of a configuration file.
func Problem(p config.Problem, check string) doctor.Result {
	r := doctor.Failed(p.String(), "the program does not start with it, and a running one keeps its configuration", check)
	if p.Warning {
		r = doctor.Warning(p.String(), "the program starts with it", check)
	}
	return r.Quotes(fmt.Sprintf("%s:%d: left out here, because it may quote the file", p.File, p.Line))
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown host"
	}
	return printable.Line(name, printable.MaxName)
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return printable.Line(cmp.Or(strings.TrimSpace(u.Username), u.Uid), printable.MaxName)
	}
	return fmt.Sprintf("user %d", os.Geteuid())
}
