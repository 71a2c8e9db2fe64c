package files

import (
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// Attach implements sink.Sink.
func (s *Sink) Attach(src sink.Source) sink.Feed {
	f := &feed{sink: s}
	st := &stream{feed: f, key: keyOf(src), block: src.InterfaceBlock()}
	if st.block.LinkType > savefile.MaxLinkType {
		return f // not to be expressed in a file: everything is counted out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.Format == savefile.Pcap && !s.manyLinkTypes() {
		if s.linkType < 0 {
			s.linkType = int64(st.block.LinkType)
		}
		if s.linkType != int64(st.block.LinkType) {
			s.sayMixed(s.linkType, &st.block, "frames of a second link type are left out: a classic file has one; take Format = pcapng, or {linktype} in Path")
			return f
		}
	}
	if st.group = s.group(src); st.group == nil {
		f.crowded = true
		return f
	}
	st.group.streams++
	f.stream = st
	if k := len(s.unused); k > 0 {
		f.id, s.unused = s.unused[k-1], s.unused[:k-1]
		s.streams[f.id] = st
	} else {
		f.id = uint32(len(s.streams))
		s.streams = append(s.streams, st)
	}
	return f
}

// sayMixed tells once of a second link type; s.mu is held.
func (s *Sink) sayMixed(first int64, block *savefile.Interface, what string) {
	if s.mixed {
		return
	}
	s.mixed = true
	s.opts.Log.Warn(what, zap.String("output", s.opts.Name), zap.Int64("first_link_type", first),
		zap.Uint32("link_type", block.LinkType), zap.String("interface", block.Name))
}

// manyLinkTypes reports whether each link type has files of its own.
func (s *Sink) manyLinkTypes() bool {
	for _, w := range s.words {
		if w == "linktype" {
			return true
		}
	}
	return s.opts.PerAgent
}

// group finds or makes that of a source; nil: there are too many. s.mu is held.
func (s *Sink) group(src sink.Source) *group {
	var key, series strings.Builder
	for _, w := range s.words {
		value := map[string]string{"host": src.Host, "agent": src.Agent.String(), "interface": src.Interface, "rule": src.Rule}[w]
		if w != "linktype" {
			fmt.Fprintf(&key, "%q ", value)
			fmt.Fprintf(&series, "%s ", nameOf(w, src))
		}
	}
	if s.manyLinkTypes() && (s.opts.Format == savefile.Pcap || len(s.words) > 0 && s.hasWord("linktype")) {
		fmt.Fprintf(&key, "%d", savefile.FromDLT(src.LinkType))
		fmt.Fprintf(&series, "%d", savefile.FromDLT(src.LinkType))
	}
	if g := s.groups[key.String()]; g != nil {
		return g
	}
	if len(s.groups) >= maxGroups {
		s.note(fmt.Errorf("%s: more than %d files at the same time; frames of further agents are dropped; take a Path with fewer names", s.opts.Name, maxGroups))
		return nil
	}
	g := &group{key: key.String(), series: strings.TrimSpace(series.String()), source: src}
	s.groups[g.key] = g
	return g
}

func (s *Sink) hasWord(word string) bool {
	for _, w := range s.words {
		if w == word {
			return true
		}
	}
	return false
}

// agentOf is for whom the files of a series are counted: Keep is what one agent may leave, whatever names of interfaces it
// comes up with and however many sessions it has. A series is the names in its path, cleaned (they have no blanks then), in
// the order of Path, and the link type behind them where that makes another file.
func (s *Sink) agentOf(series string) string {
	at := slices.IndexFunc(s.words, func(w string) bool { return w == "host" || w == "agent" })
	if at < 0 {
		return "" // one series, or one for each link type
	}
	names := slices.DeleteFunc(slices.Clone(s.words[:at]), func(w string) bool { return w == "linktype" })
	fields := strings.Fields(series)
	if len(fields) <= len(names) {
		return series // of another Path
	}
	host := fields[len(names)]
	if base, number, found := strings.Cut(host, "#"); found && strings.Trim(number, "0123456789") == "" {
		return base // "#2" tells sessions apart
	}
	return host
}
