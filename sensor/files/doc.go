// Package files has the sensor's outputs that write capture files: Stream, one pcapng stream into one file, a pipe or
// standard output, and Sink, files in a directory with rotation and retention.
package files
