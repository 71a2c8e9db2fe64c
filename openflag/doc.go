// Package openflag has the flags of open(2) for paths that others may have put something else at: a pipe, whose opening would
// wait for its other end, or a symbolic link, which could lead to any file. They are 0 where a path leads to neither.
package openflag
