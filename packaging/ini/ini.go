// Package ini holds the configuration as it is shipped. The packages install the same file, so that the agent writes the
// same first ini with a package and without one.
package ini

import _ "embed"

// Agent is the agent's, with every key explained and none active.
//
//go:embed rpcapd.ini
var Agent []byte
