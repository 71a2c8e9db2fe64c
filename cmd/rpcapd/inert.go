package main

import "github.com/spf13/pflag"

// defineInert defines what the C agent needs and this one does not.
func (s *settings) defineInert(f *pflag.FlagSet) {
	var ignored string
	f.BoolVarP(&s.accepted, "active-only", "v", false, "do not listen: this agent never does")
	f.BoolVarP(&s.accepted, "blocking", "g", false, "blocking data socket")
	f.StringVarP(&ignored, "buffer-size", "m", "", "size of a buffer between two threads, in `MB`")
	f.StringVarP(&ignored, "buffer-entries", "k", "", "`number` of entries of that buffer")
}

const neverListens = "this agent never listens, it only connects to the sensors of -a or of the ini"

// refuseFlags defines the flags of the passive mode: whoever gives them expects a
// listening agent, and would wait for ever if they were only ignored.
func refuseFlags(f *pflag.FlagSet) {
	for _, x := range []struct{ name, letter, why string }{
		{"bind", "b", neverListens},
		{"port", "p", neverListens + "; write the port of a sensor after its host"},
		{"hosts", "l", neverListens + ", so there are no clients to restrict"},
	} {
		f.VarP(refusedValue{x.letter, x.why}, x.name, x.letter, "refused")
		f.Lookup(x.name).Hidden = true
	}
}

// notes tells once what was accepted and does not do what it does in the C agent.
func (s *settings) notes() []string {
	const oneThread = "one thread captures and sends, there is no buffer between two"
	var list []string
	given := func(name, note string) {
		if f := s.flags.Lookup(name); f != nil && f.Changed {
			list = append(list, "-"+f.Shorthand+" has no effect: "+note)
		}
	}
	given("active-only", "this agent never listens anyway")
	given("blocking", "a full send buffer is waited for at most 2 ms, then the datagram is dropped and counted")
	given("buffer-size", oneThread+"; -z sets the memory of the capture ring")
	given("buffer-entries", oneThread+"; -z sets the memory of the capture ring")
	if s.cpuThreads {
		list = append(list, "-c: the agent needs one CPU and is bound to the first")
	}
	if s.niceTwice {
		list = append(list, "-e: the agent takes the first nice value")
	}
	if s.daemon && underSystemd() {
		list = append(list, "-d has no effect: systemd runs the agent in the background already")
	}
	return list
}
