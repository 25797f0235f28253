package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kivisdb/kivis"
)

// question is something worth asking.
type question struct {
	title string
	ask   func(ctx context.Context, db *kivis.DB) (answer, error)
}

// answer is what came out.
type answer struct {
	table *table   // nil for none
	notes []string // lines below it
}

var questions = []question{
	{"Which flights left Chicago O'Hare two hours late or more in February?", lateOutOf},
	{"Which flights of the quarter had the longest delays?", longestDelays},
	{"Which routes are the worst, of those with 20 flights or more?", worstRoutes},
	{"Which airports of Hawaii have flights, and how many depart?", airportsOfState},
	{"Which airports have the most departures?", busiest},
	{"How many flights left early, on time or a little late, and an hour late or more?", punctuality},
	{"Which flight is the longest?", longestFlight},
	{"Which flights went from Atlanta to Newark, newest first, three a page?", pages},
	{"Which flights match a condition that somebody typed?", typed},
	{"Which cities begin with San, and how many airports does each have?", citiesOf},
	{"Can JFK be deleted, or a flight lead to an airport that is not there?", refusals},
	{"What if the flights out of JFK in the first week of January left from EWR instead?", whatIf},
	{"Is every index and every reference right?", check},
}

// answers asks every question and prints what comes out.
func (p *printer) answers(ctx context.Context, db *kivis.DB) error {
	for i, q := range questions {
		began := time.Now()
		a, err := q.ask(ctx, db)
		if err != nil {
			return fmt.Errorf("%s %w", q.title, err)
		}
		took := p.took(began)
		fmt.Fprintf(p.w, "\n%d. %s\n\n", i+1, q.title)
		if a.table != nil {
			a.table.print(p.w)
		}
		for _, note := range a.notes {
			fmt.Fprintln(p.w, margin+note)
		}
		p.reads.print(p.w)
		if took != "" {
			fmt.Fprintf(p.w, "%sanswered%s\n", margin, took)
		}
	}
	return nil
}

// lateOutOf: a range of time, an equality and a lower bound; then the airports
// that the flights refer to, in one batch.
func lateOutOf(ctx context.Context, db *kivis.DB) (answer, error) {
	february := time.Date(2001, 2, 1, 0, 0, 0, 0, time.UTC)
	late := flights.With(db).
		Where(origin.Eq("ORD"), delay.Ge(120), departs.Range(february, february.AddDate(0, 1, 0))).
		OrderBy(departs.Asc())
	list, err := late.Collect(ctx)
	if err != nil {
		return answer{}, err
	}
	to, err := kivis.Load(ctx, airports.With(db), list, destination.Get)
	if err != nil {
		return answer{}, err
	}
	t := newTable("departs", "minutes late", "to", "airport")
	for _, f := range list {
		t.row(f.Departs, f.Delay, f.Destination, to[f.Destination].Name)
	}
	return answer{table: t}, nil
}

// longestDelays: the end of an index, read backward.
func longestDelays(ctx context.Context, db *kivis.DB) (answer, error) {
	q := flights.With(db).Query().OrderBy(delay.Desc()).Limit(5)
	t := newTable("departs", "from", "to", "minutes late")
	for f, err := range q.All(ctx) {
		if err != nil {
			return answer{}, err
		}
		t.row(f.Departs, f.Origin, f.Destination, f.Delay)
	}
	return answer{table: t}, nil
}

// worstRoutes: every flight streams by, and nothing but the sums is kept.
func worstRoutes(ctx context.Context, db *kivis.DB) (answer, error) {
	type route struct{ from, to IATA }
	type sum struct{ flights, minutes int }
	q := flights.With(db).Query()
	sums := map[route]sum{}
	for f, err := range q.All(ctx) {
		if err != nil {
			return answer{}, err
		}
		r := route{f.Origin, f.Destination}
		sums[r] = sum{sums[r].flights + 1, sums[r].minutes + f.Delay}
	}
	maps.DeleteFunc(sums, func(_ route, s sum) bool { return s.flights < 20 })
	average := func(r route) float64 { return float64(sums[r].minutes) / float64(sums[r].flights) }
	worst := slices.SortedFunc(maps.Keys(sums), func(a, b route) int {
		return cmp.Or(cmp.Compare(average(b), average(a)), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	t := newTable("from", "to", "flights", "average delay")
	for _, r := range worst[:5] {
		t.row(r.from, r.to, sums[r].flights, average(r))
	}
	return answer{table: t}, nil
}

// airportsOfState: the way back along a reference is a query, here one for all
// airports of the state, answered from the index.
func airportsOfState(ctx context.Context, db *kivis.DB) (answer, error) {
	q := airports.With(db).Where(state.Eq("HI"))
	list, err := q.Collect(ctx)
	if err != nil {
		return answer{}, err
	}
	var codes []IATA
	for _, a := range list {
		codes = append(codes, a.Code)
	}
	out := flights.With(db).Where(origin.In(codes...))
	departures, err := kivis.GroupCount(ctx, out, origin)
	if err != nil {
		return answer{}, err
	}
	t := newTable("airport", "city", "name", "departures")
	for _, a := range list {
		if n := departures[a.Code]; n > 0 {
			t.row(a.Code, a.City, a.Name, n)
		}
	}
	a := answer{table: t, notes: []string{fmt.Sprintf("%d more airports have none.", len(list)-len(t.rows))}}
	return a, nil
}

// busiest: counts for each value, from the entries of the index alone.
func busiest(ctx context.Context, db *kivis.DB) (answer, error) {
	q := flights.With(db).Query()
	departures, err := kivis.GroupCount(ctx, q, origin)
	if err != nil {
		return answer{}, err
	}
	codes := slices.SortedFunc(maps.Keys(departures), func(a, b IATA) int {
		return cmp.Or(cmp.Compare(departures[b], departures[a]), cmp.Compare(a, b))
	})[:5]
	top, err := airports.With(db).GetMany(ctx, codes...)
	if err != nil {
		return answer{}, err
	}
	t := newTable("airport", "city", "state", "departures")
	for _, code := range codes {
		t.row(code, top[code].City, top[code].State, departures[code])
	}
	return answer{table: t}, nil
}

// punctuality: three counts.
func punctuality(ctx context.Context, db *kivis.DB) (answer, error) {
	flights := flights.With(db)
	t := newTable("left", "flights")
	for _, c := range []struct {
		name  string
		query kivis.Query[Flight, kivis.ID[Flight]]
	}{
		{"early", flights.Where(delay.Lt(0))},
		{"up to an hour late", flights.Where(delay.Range(0, 60))},
		{"an hour late or more", flights.Where(delay.Ge(60))},
	} {
		n, err := c.query.Count(ctx)
		if err != nil {
			return answer{}, err
		}
		t.row(c.name, n)
	}
	return answer{table: t}, nil
}

// longestFlight: no index helps, and the plan says so.
func longestFlight(ctx context.Context, db *kivis.DB) (answer, error) {
	q := flights.With(db).Query().OrderBy(distance.Desc())
	f, err := q.First(ctx)
	if err != nil {
		return answer{}, err
	}
	ends, err := airports.With(db).GetMany(ctx, f.Origin, f.Destination)
	if err != nil {
		return answer{}, err
	}
	t := newTable("from", "to", "miles")
	t.row(ends[f.Origin].City, ends[f.Destination].City, f.Distance)
	return answer{table: t}, nil
}

// pages: two pages forward and one back. A cursor is a text that a link on a
// page can carry.
func pages(ctx context.Context, db *kivis.DB) (answer, error) {
	q := flights.With(db).Where(origin.Eq("ATL"), destination.Eq("EWR")).OrderBy(departs.Desc())
	t := newTable("page", "departs", "minutes late")
	var page kivis.Page[Flight]
	for _, step := range []struct {
		name   string
		cursor func() string
	}{
		{"first", func() string { return "" }},
		{"next", func() string { return page.Next }},
		{"back", func() string { return page.Prev }},
	} {
		var err error
		if page, err = q.Page(ctx, 3, step.cursor()); err != nil {
			return answer{}, err
		}
		for i, f := range page.Records {
			t.row(map[bool]string{true: step.name}[i == 0], f.Departs, f.Delay)
		}
	}
	return answer{table: t}, nil
}

// typed: a condition as text, such as a search field gives.
func typed(ctx context.Context, db *kivis.DB) (answer, error) {
	const text = "origin = 'JFK' and delay >= ? and not destination in ('LAX', 'SFO')"
	q := flights.With(db).WhereText(text, 90).OrderBy(departs.Asc())
	t := newTable("departs", "to", "minutes late")
	for f, err := range q.All(ctx) {
		if err != nil {
			return answer{}, err
		}
		t.row(f.Departs, f.Destination, f.Delay)
	}
	_, err := flights.With(db).WhereText("origin = 'JFK' and dealy >= 90").Count(ctx)
	if err == nil {
		return answer{}, fmt.Errorf("a misspelt field was taken")
	}
	return answer{table: t, notes: []string{text + ", with 90", "misspelt: " + err.Error()}}, nil
}

// citiesOf: a prefix is a range of an index.
func citiesOf(ctx context.Context, db *kivis.DB) (answer, error) {
	q := airports.With(db).Where(kivis.Prefix(city, "San "))
	counts, err := kivis.GroupCount(ctx, q, city)
	if err != nil {
		return answer{}, err
	}
	t := newTable("city", "airports")
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.row(name, counts[name])
	}
	return answer{table: t}, nil
}
