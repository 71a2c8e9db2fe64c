package iface

// mediaWord is the size of a media word of struct ifmediareq.
const mediaWord = 8
