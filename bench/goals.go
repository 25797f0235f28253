package main

import "time"

// Goal is how close a contender wants to be to another at a workload.
type Goal struct {
	Ratio    float64       // largest ratio; 0 is no goal
	Plus     time.Duration // what an operation may cost on top of that
	Absolute bool          // the value itself is meant, not its ratio
}

// goals are those of Kivis against the same work by hand on the same engine,
// by the contender and the workload.
var goals = map[string]map[string]Goal{
	"kivis-badger": with(within(1.10, "disk", "get", "get-2", "email", "city", "range", "ycsb-b", "ycsb-e"),
		within(1.15, "bulk", "filter", "func", "all", "update-index", "update-plain", "insert", "insert-8", "delete", "ycsb-a"),
		within(1.05, "count", "insert-durable"), within(0.7, "insert-durable-8"), within(1, "import"), within(1.3, "memory"),
		map[string]Goal{"open": {Ratio: 1.1, Plus: 2 * time.Millisecond}}, agedGoals),
	"kivis-bolt": with(within(1.25, "get", "get-2", "email", "city", "range", "ycsb-b", "ycsb-e"),
		within(1.3, "filter", "func", "all", "count"), within(0.7, "insert-durable-8"), openGoals),
	"kivis-pebble": with(within(1.15, "bulk", "import", "update-index", "update-plain", "insert", "insert-8", "delete", "ycsb-a", "insert-durable", "insert-durable-8"),
		within(1.2, "get", "get-2", "email", "city", "range", "count", "ycsb-b", "ycsb-e"), within(1.25, "filter", "func", "all")),
	"kivis-sqlite": with(within(1.5, "bulk", "get", "get-2", "email", "city", "range", "filter", "func", "all", "count", "import", "update-index",
		"update-plain", "insert", "insert-8", "delete", "ycsb-a", "ycsb-b", "ycsb-e", "insert-durable", "insert-durable-8"), openGoals),
	"kivis-memory": with(within(1.25, "get", "get-2", "email", "city", "range", "ycsb-b"), within(1.15, "func", "all"),
		within(1.3, "bulk", "filter", "update-index", "update-plain", "insert", "delete", "ycsb-a", "ycsb-e"), within(1.4, "insert-8"),
		within(1.1, "count"), within(1.2, "import", "memory"), within(2.5, "insert-snap", "update-snap"), agedGoals),
}

// rivalGoals are those of Kivis against cgoRival: where it wants to be ahead.
var rivalGoals = map[string]map[string]Goal{
	"kivis-bolt": within(1, "get", "email", "city", "range", "filter", "func", "all", "count", "ycsb-b", "ycsb-e", "insert-durable-8"),
	"kivis-pebble": within(1, "bulk", "import", "update-index", "update-plain", "insert", "insert-8", "delete", "insert-durable", "insert-durable-8",
		"get", "func", "all", "ycsb-a", "ycsb-b", "ycsb-e"),
}

// What several stores have in common.
var (
	agedGoals = map[string]Goal{"aged-scan": {Ratio: 2, Absolute: true}, "aged-count": {Ratio: 2, Absolute: true}}
	openGoals = map[string]Goal{"open": {Ratio: float64(3 * time.Millisecond), Absolute: true}}
)

// within returns a ratio as the goal of workloads.
func within(ratio float64, workloads ...string) map[string]Goal {
	m := map[string]Goal{}
	for _, w := range workloads {
		m[w] = Goal{Ratio: ratio}
	}
	return m
}

// with returns the goals of several maps in one.
func with(parts ...map[string]Goal) map[string]Goal {
	all := map[string]Goal{}
	for _, p := range parts {
		for w, g := range p {
			all[w] = g
		}
	}
	return all
}

// goalOf returns the goal of a contender against the same work by hand.
func goalOf(w Workload, e Entry) Goal { return goals[e.Name][w.Name] }

// rivalGoal returns that against cgoRival.
func rivalGoal(w Workload, e Entry) Goal { return rivalGoals[e.Name][w.Name] }
