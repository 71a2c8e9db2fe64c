// Command repo makes an apt and an rpm repository from the packages in dist/: static files, for any web server or bucket.
//
//	dist/*.deb ─────────► repo/apt/pool ──► Packages, by-hash ──► Release ──sign──► InRelease, Release.gpg
//	dist/*.rpm ──sign───► repo/rpm/packages ──► primary, filelists, other ──► repomd.xml ──sign──► repomd.xml.asc
//	key ──public part───► repo/rpcapd.asc, which rpcapd.sources and rpcapd.repo refer to
//
// It needs Go and nothing else. REPO_KEY names the key: a file with an exported secret key, or a folder that is a home of gpg,
// whose agent then signs and may hold the key on a card. The program makes no key, and the secret part goes nowhere.
//
// What the folder holds stays: packages of older versions remain beside the new ones, and the index files of the time before
// remain for clients that have just read the old list. A file of the same name with other content is refused, and so is a key
// that the folder was not signed with before.
//
// The same packages, key and SOURCE_DATE_EPOCH give the same bytes, if the key is a file. All files that name others are
// written last.
package main
