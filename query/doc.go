// Package query plans and runs queries over one table. It knows tables by
// their metadata alone and works on encoded data: no Go value of a record takes
// part, unless a predicate in Go asks for one. Package kivis has the typed face
// of it.
//
// # From a predicate to a plan
//
// A [Query] holds a predicate, a tree of [Expr] made by field handles or by
// [Parse] from text. [Compile] plans it, in steps that read nothing but the
// metadata:
//
//   - bind: fields are found in the table, and values get the form of its keys.
//     What a comparison, a list, a prefix or a range says of a field is a set of
//     intervals of its key encoding.
//   - normalise: negations go down to these sets; and, or and not of sets of one
//     field are set algebra. What cannot hold comes out as an empty set, and
//     reads nothing. A predicate over the bounds of this package is refused with
//     [ErrTooComplex].
//   - bound: for the primary key and each index that is ready, the sets bound
//     its leading parts: points as far as they go, then one more set. An index
//     over elements serves where an element is bounded.
//   - choose: looking up keys comes first, then what bounds more parts, then what
//     gives the order asked for, then what reads less of each record. The choice
//     depends on nothing else, so the same query has the same plan on every run,
//     whatever the data; [Query.Using] overrides it. An Or whose sides are all
//     bounded more closely is a union; equalities on several indexes are an
//     intersection. Other indexes that decide what is left are named as sieves.
//
// # Running a plan
//
// [Plan.Run] returns [Rows], which pull: nothing is read before it is asked for.
// Entries are filtered before their records are fetched, and records are
// fetched in batches, as late as can be: after a merge, a sort or an offset that
// does without them. Filters transcode the one field they look at.
//
// A plan with sieves counts entries of all its indexes until one of them has no
// more, and goes on with what two have in common, or with one alone: see [Look].
// The same data in the store lead to the same choice.
//
// Memory does not grow with the result, but for keys that a look holds, about 32 MiB
// at most, and for sorts that no index saves. They
// hold at most [MaxSortBytes], and end in [ErrSortTooLarge]; with a limit they hold
// what they sort that many records by, however large the records are. Records that
// tie where an index gives only the first terms of the order are held, too.
//
// # Order
//
// Values are ordered as their keys are: nil first, then as the type says, NaN
// after +Inf. Ties are broken by the primary key in its stored order, ascending,
// however the rest is ordered; so the same records come in the same order with
// any index or none. Where an index has ties the other way round, small groups
// are held and turned, large ones read again backwards.
//
// # Reading a plan
//
// The text of a [Plan] says on its first line how records are found: get and
// unique get read one key, key range and index range a part of the records or
// of an index, full scan all; covering means that no record is read; union and
// intersection list what they are of. The lines below say by what it is bounded
// (where), what else may bound it (sieve), what is then left out (filter), and what
// else is done:
//
//	index range on flights.route(Origin, Destination, -Departs)
//	  where   Origin = "ORD", Destination = "LAX", Departs >= 2001-02-01T00:00:00Z
//	  fetch   records
//	  filter  Delay >= 60
//	  limit   20
package query
