package privilege

import "os"

// InImage says whether the process runs in a container of the agent's image, which sets the variable. There capabilities come from
// whoever has started the container, and from nowhere else.
func InImage() bool { return os.Getenv("RPCAPD_CONTAINER") != "" }
