// Package studio shows a database in a browser: its tables and their records,
// what refers to what, and the plan of each query. It is a handler for the
// program's own mux, so that it works on the database that the program has open:
//
//	mux.Handle("/studio/", http.StripPrefix("/studio", studio.Handler(db, nil)))
//
// It needs no Go types: everything comes from the catalog, and every rule of the
// database holds. Nothing can be changed unless Options.Write is set.
//
// # Who may look
//
// A page of the studio is opened with ?token=TOKEN once. From then on a cookie
// has the token, which scripts cannot read and other sites cannot have sent.
// Requests for a host that is neither loopback nor in Options.Hosts are refused,
// and so are those that a page of another origin makes.
//
// # Pages
//
//	/                     the tables, with counts
//	/schema               tables and references as a drawing
//	/t/TABLE              records; where=, order= and after= say which
//	/t/TABLE/KEY          one record, with links along its references both ways
//	/t/TABLE.csv, .jsonl  what where= and order= find, as a file
//	/live?...             server-sent events: one when the page in question differs
//	POST /commit          a transaction of edits
//
// Every page is JSON with .json behind its path; the first is /index.json. A
// mistake in a query has status 400. What is slow on a page, such as a count, is
// given up after Options.Deadline, and the page says so.
//
// # Edits
//
// POST /commit takes {"version": V, "edits": [...]}, where V is the version of
// the page that the edits were made on, from its JSON. An edit is one of
//
//	{"table": "flights", "key": "8", "set": {"Delay": 5}}
//	{"table": "flights", "key": "8", "delete": true}
//	{"table": "flights", "insert": {"Origin": "ORD", "Destination": "LAX"}}
//
// All are made in one serializable transaction, or none: it reads what the page
// showed again, and fails with status 409 where any of that has changed.
package studio
