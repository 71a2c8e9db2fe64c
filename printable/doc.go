// Package printable makes text from outside the program safe to show.
//
// Names, descriptions and error texts of an agent, a sensor, a status file or an interface reach terminals, logs,
// metrics, pages and comments in capture files. A control character is a command there: ESC colors or clears a
// terminal, a newline forges a line in a log, and U+202E reverses the direction of text, so that one name looks like another.
// So each such text passes Text or Line once, when it enters the program or, at the latest, when it is written.
//
// The functions keep the space and the characters that Unicode calls printable (letters, marks, numbers, punctuation,
// symbols). They replace each other character, and each byte that is not UTF-8, with one question mark, so a text never
// grows.
//
// The package refuses to escape for a format: quote for JSON, HTML, or Prometheus where you write that format.
package printable
