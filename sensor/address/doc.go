// Package address has what all that listens in the sensor needs: an address as net.Listen takes it, an address in the one form
// that can be compared, and an error that says why a port cannot be opened and what helps.
//
// It knows nothing of the sensor and opens nothing.
package address
