package files

import (
	"slices"
	"strings"
)

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
