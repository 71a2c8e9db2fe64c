// Package address helps the listeners of the sensor: it formats an address for net.Listen, converts an address to a form
// that you can compare, and makes an error that says why a port cannot be opened and how to fix it.
//
// It does not depend on other packages of the sensor.
package address
