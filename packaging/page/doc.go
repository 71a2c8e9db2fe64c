// Package page reads the pages of the documentation: Markdown files that GitHub renders, and from which packaging/site
// makes a static site.
//
//	docs/X.md ─► Read ─► Page: headings with their anchors, links, blocks
//	                       │
//	                       └► Block: language, tag, text, line ─► Commands: the command lines in it
//
// A block that readers type, or write into a file, has a tag behind its language, which says how a test checks it:
//
//	```sh run                   test/docs runs it, and it must exit with status 0
//	```sh run long              the same, in make test-docs only
//	```ini parse                it must parse: files as the programs read them, command lines with their commands and flags
//	```sh untested: the reason  nobody checks it
//
// A block that nobody types has the language text, and no tag. Blocks indented by four are not blocks of ours.
//
// Only tests and the site use this package; no program of ours has it.
package page
