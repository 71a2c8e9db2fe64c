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
// frames, their statistics, the end of the compression. So you can read each file by itself. The sink cleans names that come from agents,
// and works only below the directory that it holds open (os.Root), so names cannot lead out of it.
//
// The list. The sink records its files in .rpcap-sensor.OUTPUT.list, in the same directory, and locks the list while it
// runs. After a crash, the next run completes the .part files in the list, up to the last whole frame. It writes compressed files
// again. Retention deletes a file only if the list has it, with its present size.
//
// Failures. A failure (ENOSPC, EDQUOT, EIO, EROFS, a directory that was removed) ends Run with an error that names the file,
// the cause, and the cure, and wraps sink.ErrTryAgain. The sink cuts open files at the last whole frame, completes them, and
// counts the other frames as dropped. The next Run first checks for free space, and begins new files.
//
// Limits: 16 MiB of frames in the queue; 1,024 open files (32 with compression), beyond which the one used least recently
// is closed and opened again for its next frames; 8,192 series of files at once; 4,096 interfaces in a file, then comes
// the next file; 200,000 remembered complete files. Buffers are 32 KiB for each file of an agent.
//
// What it refuses to do: overwrite or append to a file that it did not begin, delete a file that it did not create, follow a
// link out of its directory, or block a stream.
package files
