package files

import (
	"strconv"

	"rpcapd/sensor"
)

func number(name string, n uint64, total bool) sensor.Detail {
	return sensor.Detail{Name: name, Text: strconv.FormatUint(n, 10), Number: n, Numeric: true, Total: total}
}
