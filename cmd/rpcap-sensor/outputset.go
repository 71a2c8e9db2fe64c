package main

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/sensor"
	"rpcapd/sensor/sink"
)

// output is one section of the file that makes a sink. Its title is by what a reload knows it again.
type output struct {
	title string
	says  any    // the section
	holds string // what only one sink can have at a time: a directory, an interface, a port

	// open makes the sink and opens what must be there at the start, so that a mistake is found then. What it opened is
	// closed by the sink's Run or by the sink's Close method.
	open func(ctx context.Context, o *outputs) (sink.Sink, error)
}

// running is an output at work.
type running struct {
	output
	sink sink.Sink
}

// outputsOf lists the outputs of a file but that of [output]; it has one loop for each kind.
func outputsOf(c config.Sensor) (all []output) {
	for _, f := range c.Files {
		dir, _ := config.SplitFilePath(f.Path)
		all = append(all, output{f.Title(), f, "directory " + filepath.Clean(dir), func(ctx context.Context, o *outputs) (sink.Sink, error) {
			return fileSink(ctx, o, f)
		}})
	}
	for _, t := range c.TAP {
		all = append(all, output{t.Title(), t, "interface " + t.Interface, func(ctx context.Context, o *outputs) (sink.Sink, error) {
			return tapSink(ctx, o, t)
		}})
	}
	for _, p := range c.PcapOverIP {
		all = append(all, output{p.Title(), p, pcapOverIPAddress(p) + " " + p.Connect + p.ListenText(), func(ctx context.Context, o *outputs) (sink.Sink, error) {
			return pcapOverIPSink(ctx, o, p)
		}})
	}
	return all
}

// openOutputs opens all outputs of a file but that of [output]. On an error none stays open.
func openOutputs(ctx context.Context, o *outputs) (all []running, err error) {
	for _, out := range outputsOf(o.config) {
		k, openErr := out.open(ctx, o)
		if openErr != nil {
			err = errors.Join(err, openErr)
			continue
		}
		all = append(all, running{out, k})
	}
	if err != nil {
		return nil, errors.Join(err, closeOutputs(all))
	}
	return all, nil
}

// closeOutputs closes what outputs hold open outside of Run.
func closeOutputs(all []running) error {
	var errs []error
	for _, r := range all {
		errs = append(errs, closeSink(r.sink))
	}
	return errors.Join(errs...)
}

// change brings the outputs in agreement with a file while the sensor runs. Sections that say the same are not touched. One that
// says something else ends in order and begins anew, without a gap if its new self can be opened beside it. done says what was
// done, a line for each section; the error is of those that could not be opened, and which work as before if they can.
type change struct {
	sen  *sensor.Sensor
	was  *outputs // with the file in force so far
	is   *outputs // with the new one
	log  *zap.Logger
	done []string
	errs []error
}

// apply returns the outputs at work afterwards.
func (c *change) apply(ctx context.Context, now []running) (next []running) {
	wanted := outputsOf(c.is.config)
	find := func(title string) int {
		return slices.IndexFunc(wanted, func(o output) bool { return o.title == title })
	}
	var later []output              // to be opened when what is in their way has ended
	old := make(map[string]running) // of these, that which has ended
	for _, r := range now {
		i := find(r.title)
		switch {
		case i < 0:
			c.end(r)
			c.say(r.title, "removed")
		case sameSection(r.says, wanted[i].says):
			next = append(next, r)
		case wanted[i].holds != r.holds && c.swap(ctx, r, wanted[i], &next):
		default:
			c.end(r)
			old[r.title] = r
		}
	}
	for _, o := range wanted {
		if !slices.ContainsFunc(next, func(r running) bool { return r.title == o.title }) {
			later = append(later, o)
		}
	}
	var failed []output
	for _, o := range later {
		what := "new"
		if _, changed := old[o.title]; changed {
			what = "changed"
		}
		if r, err := c.begin(ctx, o, c.is); err != nil {
			c.errs = append(c.errs, err)
			failed = append(failed, o)
		} else {
			next = append(next, r)
			c.say(o.title, what)
		}
	}
	for _, o := range failed { // as before, now that nothing else is in the way
		r, changed := old[o.title]
		if !changed {
			continue
		}
		if r, err := c.begin(ctx, r.output, c.was); err != nil {
			c.errs = append(c.errs, err)
		} else {
			next = append(next, r)
		}
	}
	return next
}

func (c *change) say(title, what string) { c.done = append(c.done, "["+title+"] "+what) }

// swap opens an output beside its old self, and ends that if it could. Each frame is in one of the two.
func (c *change) swap(ctx context.Context, r running, o output, next *[]running) bool {
	k, err := o.open(ctx, c.is)
	if err != nil {
		return false // the old one may be in the way
	}
	c.ended(r, c.sen.ReplaceSink(r.sink.Name(), k))
	*next = append(*next, running{o, k})
	c.say(o.title, "changed")
	return true
}

// end ends an output in order.
func (c *change) end(r running) { c.ended(r, c.sen.ReplaceSink(r.sink.Name(), nil)) }

func (c *change) ended(r running, err error) {
	if err = errors.Join(err, closeSink(r.sink)); err != nil {
		c.log.Warn("an output has ended with an error", zap.String("output", r.title), zap.Error(err))
	}
}

// begin opens an output and gives it the frames from now on.
func (c *change) begin(ctx context.Context, o output, from *outputs) (running, error) {
	k, err := o.open(ctx, from)
	if err != nil {
		return running{}, err
	}
	if err := c.sen.ReplaceSink("", k); err != nil {
		return running{}, errors.Join(err, closeSink(k))
	}
	return running{o, k}, nil
}

// sameSection compares what two sections say; where they stand is in fields that are not exported.
func sameSection(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if x.Type().Field(i).IsExported() && !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			return false
		}
	}
	return true
}
