// Package remote makes a store of an engine that is elsewhere: a database
// server, a bucket, a cluster. What an engine has to offer is small, a [Backend];
// snapshots, the check of what was read, group commit, retries and the feed are here.
//
// Where an engine has nothing elsewhere but a log of commits, and all entries in this
// process, it is a [Local], and reads are no requests.
//
// # Versions
//
// A transaction is a version and, until it commits, nothing at the engine: no
// engine's transaction stays open while a user's does. Begin learns the newest
// version, in one request that those share who come before it is sent; nobody
// joins one that is under way, for it may not show what was committed since. So
// a transaction sees every commit that returned before it began, whoever made it.
//
// # Commits
//
// Transactions of one process that commit at the same time become one proposal.
// What they have read is checked here against all that is known to have been
// committed since, and by the engine against what has come after that. If the
// engine refuses, the store learns what has come, checks again, and proposes
// what is left.
//
// # Lost replies
//
// A proposal has an id. If no reply comes it is sent again, and the engine, which
// remembers the ids, says what has become of it. Only where the engine cannot
// be asked in time is the outcome [store.ErrCommitUnknown]; the store itself goes
// on as soon as the engine answers.
package remote
