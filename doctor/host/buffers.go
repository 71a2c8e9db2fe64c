package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"rpcapd/doctor"
)

// sysctls is where the kernel's settings are.
var sysctls = "/proc/sys/"

// Limit looks at a limit of the kernel for socket buffers, such as net.core.rmem_max, and what a program asks for.
func Limit(name string, asked int, means string) doctor.Result {
	b, err := os.ReadFile(sysctls + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return doctor.NotChecked("the kernel does not show %s here", name)
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return doctor.NotChecked("%s is %q", name, strings.TrimSpace(string(b)))
	}
	if limit >= asked {
		return doctor.OK("%s is %d", name, limit)
	}
	return doctor.Warning(fmt.Sprintf("%s is %d, and %d is asked for", name, limit, asked), means,
		fmt.Sprintf("sysctl -w %s=%d, and the line %s = %d in /etc/sysctl.d/90-rpcapd.conf to keep it", name, asked, name, asked))
}
