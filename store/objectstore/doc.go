// Package objectstore keeps a store in a bucket of S3 or of what speaks its
// protocol, for any number of processes at a time:
//
//	s, err := objectstore.Open(ctx, "s3://bucket/shop?endpoint=https://s3.example.com", nil)
//
// The bucket holds a log: each commit is an object, named by its version, that is
// made only if there is none of that name. So the bucket itself decides who takes a
// version, and [Open] refuses a bucket that ignores such a condition. Beside the
// log are checkpoints, each a backup of one version, below which a collector drops
// the log.
//
// A bucket must show what was made as soon as it has said so, in lists as well, as
// Amazon's does.
//
// The entries themselves are here, in a local store that follows the log:
// [Options].State, else memory. Reads are no requests. Begin learns in one request
// whether others have committed; a commit is two.
//
// # The boundary
//
// A name that the collector has freed must not be taken again by a process that
// stood still meanwhile. So there is one object that says up to which version
// names may have been freed. It is raised before anything is deleted, and who has
// made an object of the log reads it: at or below the boundary, the object is none
// of the log. A commit whose outcome is then not to be seen from the log any more
// is looked up in what a checkpoint says of each writer's last commit.
package objectstore
