// Package printable makes text that came from somebody else fit to be shown.
//
// Names, descriptions and error texts of an agent, a sensor, a status file or an interface reach terminals, logs,
// metrics, pages and comments in capture files. There a control character is an order: ESC colours or clears a terminal,
// a newline forges a line of a log, U+202E turns the direction of writing so that a name reads as another. So every such
// text passes Text or Line once, on its way in or at the latest where it is written out.
//
// What is kept are the characters that Unicode calls printable (letters, marks, numbers, punctuation, symbols) and the
// space; all others, and bytes that are not UTF-8, become one question mark each, so that a text never grows.
//
// The package refuses to escape for a format: quoting for JSON, HTML or Prometheus is that format's own matter.
package printable
