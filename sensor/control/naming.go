package control

import (
	"cmp"
	"context"
)

// takeName gives the session a name of its own. If another session has the plain one, which may be that of an agent
// that has left without a word, the older ones are given the time to prove themselves.
func (s *session) takeName(ctx context.Context) error {
	s.dropName()
	if !s.server.names.free(s.peer.Addr(), s.wantedName, s.chosen.Name) {
		var stopped error
		err := s.listening(ctx, func(ctx context.Context) { stopped = s.server.awaitOlder(ctx, s) })
		if err = cmp.Or(err, stopped); err != nil {
			return err
		}
	}
	host, free := s.server.names.take(s.peer.Addr(), s.wantedName, s.chosen.Name)
	s.freeName = free
	if name := host + "/" + s.chosen.Name; name != s.connected {
		s.connected = name
		s.server.sessionLog.Connected(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Name = host + "/" + s.chosen.Name
	s.status.Rule, s.status.Interface = s.chosen.Rule.Name, s.chosen.Name
	s.status.LinkType, s.status.Snaplen, s.status.Filter = s.linkType, s.snaplen(), s.chosen.Rule.Filter
	s.status.NoSegmentation = s.singly
	s.host = host
	return nil
}

// dropName gives the name back.
func (s *session) dropName() {
	s.freeName()
	s.freeName = func() {}
}

// named takes in what the agent wants to be called. Until it has a capture it is shown by that alone.
func (s *session) named(wanted string) {
	s.wantedName = wanted
	host := s.server.names.host(s.peer.Addr(), wanted)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status.Interface == "" {
		s.status.Name = host
	}
}
