package iface

import "context"

// Watch calls changed once as soon as it watches (so that what changed since the
// caller's last list is not missed) and then after each burst of changes of links
// or addresses, never twice at once. It blocks until the context ends, and then
// returns nil; an error says why it cannot watch. It watches the network
// namespace of the thread that called it.
func Watch(ctx context.Context, changed func()) error {
	return watch(ctx, changed)
}
