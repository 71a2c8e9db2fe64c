//go:build darwin || dragonfly || freebsd || netbsd

package iface

// mediaWord is the size of a media word of struct ifmediareq.
const mediaWord = 4
