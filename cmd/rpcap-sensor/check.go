package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"rpcapd/config"
	"rpcapd/numbers"
	"rpcapd/sensor"
	"rpcapd/sensor/files"
	"rpcapd/sensor/rule"
	"rpcapd/tlsfiles"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.uber.org/zap"
)

// cause returns the mistakes in a section that may be behind an error; if there are none, the error with the line of a key.
func (o *outputs) cause(mistakes config.Problems, section, key string, err error) error {
	if found := mistakes.Err(); found != nil && o.config.Places.Problem(section, "", "").Line > 0 {
		return found
	}
	return o.refused(section, key, err)
}

// filterProblems are the filters of rules that the sensor has refused, each on its line. The rest of the error is returned.
func filterProblems(at config.Places, err error) (all config.Problems, rest error) {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, e := range list {
		bad := (*rule.FilterError)(nil)
		if errors.As(e, &bad) {
			if p := at.Problem("rule "+bad.Rule, "Filter", fmt.Sprintf("[rule %s] Filter: %v", bad.Rule, bad.Err)); p.Line > 0 {
				all = append(all, p)
				continue
			}
		}
		rest = errors.Join(rest, e)
	}
	return all, rest
}

// placed puts the lines of the file before what the sensor says of its rules.
func placed(at config.Places, err error) error {
	found, rest := filterProblems(at, err)
	return errors.Join(found.Err(), rest)
}

// checkOutputs finds what would keep the outputs of a file from starting and that nothing needs to be opened for: filters
// that tcpdump refuses, certificates that cannot be read, directories that cannot be written to.
func checkOutputs(ctx context.Context, c config.Sensor) (all config.Problems) {
	all = checkSections(ctx, c)
	for _, w := range files.Forgotten(c.Files) {
		p := c.Places.Problem(w.Section, "Path", fmt.Sprintf("[%s] Path: %s", w.Section, w.Text))
		p.Warning = true
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b config.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return all
}

// checkSections does so for each section by itself.
func checkSections(ctx context.Context, c config.Sensor) (all config.Problems) {
	filter := func(section string, s config.Selection) {
		if _, err := sensor.SelectionFromConfig(s).Compile(ctx); err != nil {
			all = append(all, c.Places.Problem(section, "Filter", fmt.Sprintf("[%s] Filter: %v", section, err)))
		}
	}
	all = append(all, checkOutputFile(c)...)
	for _, f := range c.Files {
		filter(f.Title(), f.Selection)
		dir, _ := config.SplitFilePath(f.Path)
		all = append(all, checkDirectory(c.Places, f.Title(), "Path", dir, true)...)
	}
	for _, t := range c.TAP {
		filter(t.Title(), t.Selection)
	}
	for _, o := range c.PcapOverIP {
		filter(o.Title(), o.Selection)
		all = append(all, checkPcapOverIPFiles(c, o)...)
	}
	return append(all, checkHTTPFiles(c)...)
}

// checkPcapOverIPFiles reads the certificates of a section.
func checkPcapOverIPFiles(c config.Sensor, o config.PcapOverIP) (all config.Problems) {
	all = checkPair(c.Places, o.Title(), o.Certificate, o.Key)
	all = append(all, checkPool(c.Places, o.Title(), "ClientCA", o.ClientCA)...)
	return append(all, checkPool(c.Places, o.Title(), "CA", o.CA)...)
}

// checkHTTPFiles reads the certificate of [http].
func checkHTTPFiles(c config.Sensor) config.Problems {
	return checkPair(c.Places, "http", c.HTTP.Certificate, c.HTTP.Key)
}

// checkPair reads a certificate and its key, and says on whose line what is wrong.
func checkPair(at config.Places, section, certificate, key string) config.Problems {
	if certificate == "" || key == "" {
		return nil
	}
	for _, f := range []struct{ key, name string }{{"Certificate", certificate}, {"Key", key}} {
		if _, err := tlsfiles.Read(f.name); err != nil {
			return config.Problems{at.Problem(section, f.key, fmt.Sprintf("[%s] %s: %v; name a PEM file that the sensor's user can read", section, f.key, err))}
		}
	}
	if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
		return config.Problems{at.Problem(section, "Certificate", fmt.Sprintf("[%s] Certificate %s and Key %s do not go together: %v", section, certificate, key, err))}
	}
	return nil
}

// checkPool reads certificates of authorities.
func checkPool(at config.Places, section, key, name string) config.Problems {
	if name == "" {
		return nil
	}
	if _, err := tlsfiles.ReadPool(name); err != nil {
		return config.Problems{at.Problem(section, key, fmt.Sprintf("[%s] %s: %v; name a PEM file that the sensor's user can read", section, key, err))}
	}
	return nil
}

func checkCommand(stdout io.Writer) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a configuration file and its filters",
		Long: "check reads the file as a start would: keys and values, filters (by tcpdump), certificates, directories. It prints every\n" +
			"mistake with its line. Without FILE it takes " + defaultFile + " of this directory, or else " + serviceFile + ". Variables of the\n" +
			"environment that set flags (RPCAP_SENSOR_…) are checked too, and without a file they can be all there is.",
		Example: "  rpcap-sensor check\n  rpcap-sensor check my.ini && rpcap-sensor -f my.ini",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && file != "" {
				return usageError{errors.New("check takes one file")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			return checkWith(strings.Join(args, "")+file, os.Environ(), stdout)
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the `file` to check")
	return cmd
}

// checkWith checks the environment, and the file that was named there, or is there.
func checkWith(file string, environ []string, w io.Writer) error {
	s := &settings{}
	s.define(pflag.NewFlagSet("", pflag.ContinueOnError))
	if err := s.readEnvironment(environ); err != nil {
		return err
	}
	if err := s.printEnvironment(w); err != nil {
		return err
	}
	file = cmp.Or(file, s.file)
	if file == "" && len(s.env) > 0 {
		if _, err := os.Stat(fileToCheck("")); errors.Is(err, fs.ErrNotExist) {
			l, err := s.load(zap.NewNop())
			if err == nil {
				_, err = sensor.New(l.opts)
			}
			return err
		}
	}
	s.file = fileToCheck(file)
	for _, name := range ruleFlags {
		if s.flags.Changed(name) {
			return usageError{fmt.Errorf("%s describes a rule, and so does the file %s; use one of them", s.given(name), s.file)}
		}
	}
	return check(s.file, w)
}

// fileToCheck is the file that was named, or the one that is there.
func fileToCheck(name string) string {
	if name != "" {
		return name
	}
	if _, err := os.Stat(defaultFile); err == nil {
		return defaultFile
	}
	return serviceFile
}

// check reports every problem of a file, its filters included.
func check(file string, w io.Writer) error {
	c, problems, err := loadFile(file)
	if err != nil {
		return err
	}
	o := sensor.FromConfig(c)
	bad := problems.Err() != nil
	if !bad {
		_, refused := sensor.New(o)
		rules, rest := filterProblems(c.Places, refused)
		if rest != nil {
			return fmt.Errorf("check %s: %w", file, rest)
		}
		found := append(rules, checkOutputs(context.Background(), c)...)
		bad, problems = found.Err() != nil, append(problems, found...)
	}
	for _, p := range problems {
		if _, err := fmt.Fprintln(w, p.String()); err != nil {
			return err
		}
	}
	if bad {
		return fmt.Errorf("check %s: it has errors", file)
	}
	_, err = fmt.Fprintf(w, "%s: good, %s\n", file, numbers.Things(len(o.Rules), "rule"))
	return err
}
