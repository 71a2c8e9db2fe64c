// Package docs tests the documentation: README.md, CONTRIBUTING.md, and all pages of docs and deploy.
//
// Each block that readers type or write into a file has a tag, which package packaging/page explains. The tests here run or parse
// the blocks accordingly. The command lines of our own programs are tested beside the programs (TestDocumentedCommands),
// against their real commands and flags. Every link within the repository must lead to a file, and to a heading there.
//
// All run blocks of a page are one script, in the order of the page: bash -e, in a folder of its own. It runs in a network
// namespace that has only loopback, with the built programs in PATH, and what it writes to /etc, /opt, /usr/local, /var, or a home
// folder is gone afterwards. Line numbers in its errors are those of the page.
package docs
