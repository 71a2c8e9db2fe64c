// Package doctor runs rpcapd doctor and rpcap-sensor doctor on good and on broken hosts, in namespaces, and keeps the prints in
// docs/DOCTOR.md true: with UPDATE_DOCS=1 it writes them.
package doctor
