// Command site makes a static site of the documentation:
//
//	site [-o FOLDER] [-version TEXT]
//
//	README.md, CONTRIBUTING.md, CHANGELOG.md, docs/**.md, deploy/**.md ─► page.Read ─► goldmark ─► FOLDER/NAME.html
//	docs/README.md: headings and the first links of its tables            ─► navigation
//	pictures, and other files that pages link to                         ─► FOLDER/docs, FOLDER/files
//
// The site needs no server, no script, and nothing from elsewhere: it can be opened from a disk. Equal pages give equal bytes. It
// refuses pages whose links lead nowhere.
package main
