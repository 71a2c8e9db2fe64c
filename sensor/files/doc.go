// Package files has the sensor's outputs that write capture files: Single, one pcapng stream into one file, a pipe or
// standard output, and Sink, files in a directory with rotation, compression and retention.
//
//	feeds of all streams -> queue of chunks (16 MiB) -> one goroutine that writes -> NAME.part
//	                                                                              -> one that finishes -> NAME
//
// A feed encodes a frame into the last chunk under the sink's lock, without an allocation or a system call. The goroutine that writes (Sink.Run) takes whole chunks, puts the number of the interface in the present file in
// the place of that of the stream, and writes frames that follow each other in one file together. Only this
// goroutine ends a file. The other one does the slow work: fsync, rename, fsync of the directory, deleting old files.
//
// A file is NAME.part until it is complete. Complete means: section header, the interfaces that have frames in it, the
// frames, their statistics, the end of the compression. So each file can be read by itself. Names that come from agents
// are cleaned, and the sink works only below the directory that it holds open (os.Root), so they cannot leave it.
//
// The list. What the sink has made is noted in a file beside them, .rpcap-sensor.OUTPUT.list, which is locked while the
// sink works. After a crash the next run completes the .part files in it, up to the last whole frame; compressed ones are
// written anew. Retention deletes only what is in the list and has the size it was completed with.
//
// Failures. Whatever fails (ENOSPC, EDQUOT, EIO, EROFS, a directory that has gone) ends Run with an error that names file,
// cause and cure and wraps sink.ErrTryAgain. Files in use are cut at the last whole frame and completed; frames are
// counted as dropped; the next Run sees first whether there is room, and begins new files.
//
// Limits: 16 MiB of frames in the queue; 1,024 open files (32 with compression), beyond which the one used least recently
// is closed and opened again for its next frames; 8,192 series of files at once; 4,096 interfaces in a file, then comes
// the next file; 200,000 remembered complete files. Buffers are 32 KiB for each file of an agent.
//
// What it refuses to do: overwrite or append to a file that it did not begin, delete one that it did not make, follow a
// link out of its directory, block a stream.
package files
