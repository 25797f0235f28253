package main

import "time"

// Workload is something that contenders are measured at.
type Workload struct {
	Name  string
	Title string
	Unit  Unit
	Once  bool // measured once in a round, not once in each slice of it
	Run   func(*session) (Measure, error)
	Goal  Goal
}

// Unit says which number of a measure counts.
type Unit int

// The units.
const (
	perOp  Unit = iota // time of one operation
	bytes1             // bytes in Value, per record
	bytesN             // bytes in Value
	factor             // a factor in Value
)

// Cost returns the number of m that counts: nanoseconds, bytes or a factor.
func (u Unit) Cost(m Measure) float64 {
	if u == perOp {
		return m.per(float64(m.Wall))
	}
	return m.Value
}

// Goal is how close Kivis wants to be to the same work by hand.
type Goal struct {
	Disk, Memory float64       // largest ratio to the limit; 0 is no goal
	Plus         time.Duration // what an operation may cost on top of that
	Absolute     bool          // the value itself is meant, not its ratio
	Allocs       float64       // how many allocations more an operation may do; 0 is no goal
}

// ratio returns the goal in a field.
func (g Goal) ratio(f *Field) float64 {
	if f == onDisk {
		return g.Disk
	}
	return g.Memory
}

// Goals of several workloads.
var (
	readGoal  = Goal{Disk: 1.10, Memory: 1.25, Allocs: 3}
	writeGoal = Goal{Disk: 1.15, Memory: 1.3}
	scanGoal  = Goal{Disk: 1.15, Memory: 1.25}
	snapGoal  = Goal{Memory: 2.5}
	agedGoal  = Goal{Disk: 2, Memory: 2, Absolute: true}
)

// workloads returns all workloads in the order in which they are run: the
// table is loaded, read, and then changed. The first one is always run.
func workloads() []Workload {
	return []Workload{
		{"bulk", "insert, 1,000 a transaction", perOp, true, runBulk, writeGoal},
		{"disk", "disk, bytes a record", bytes1, true, runDisk, Goal{Disk: 1.1}},
		{"open", "open and first get", perOp, false, runOpen, Goal{Disk: 1.1, Plus: 2 * time.Millisecond}},
		{"get", "get by key", perOp, false, runGet(1), readGoal},
		{"get-2", "get by key, 2 threads", perOp, false, runGet(2), readGoal},
		{"email", "get by unique email", perOp, false, runEmail, readGoal},
		{"city", "equality on an index, ~10 records", perOp, false, runCity, readGoal},
		{"range", "ordered range, 100 records", perOp, false, runRange, readGoal},
		{"filter", "scan with a declared predicate", perOp, false, runFilter, Goal{Disk: 1.2, Memory: 1.25}},
		{"func", "scan with a function", perOp, false, runFunc, scanGoal},
		{"all", "scan, all decoded", perOp, false, runAll, scanGoal},
		{"count", "count of a tenth by index", perOp, false, runCount, Goal{Disk: 1.05, Memory: 1.1}},
		{"memory", "peak memory of load and reads", bytesN, true, runMemory, Goal{Disk: 1.3, Memory: 1.2}},
		{"import", "import", perOp, true, runImport, Goal{Disk: 1, Memory: 1}},
		{"update-index", "update of an indexed field", perOp, false, runSetAge, writeGoal},
		{"update-plain", "update of a plain field", perOp, false, runSetBio, writeGoal},
		{"insert", "insert", perOp, false, runInsert(1), writeGoal},
		{"insert-8", "insert, 8 writers", perOp, false, runInsert(8), writeGoal},
		{"delete", "delete", perOp, false, runDelete, writeGoal},
		{"ycsb-a", "YCSB A: half gets, half updates", perOp, false, runYCSB(0.5), writeGoal},
		{"ycsb-b", "YCSB B: 95 % gets, updates", perOp, false, runYCSB(0.95), readGoal},
		{"ycsb-e", "YCSB E: 95 % ranges, inserts", perOp, false, runYCSBE, readGoal},
		{"insert-durable", "insert with fsync", perOp, false, runDurable(1), Goal{Disk: 1.05}},
		{"insert-durable-8", "insert with fsync, 8 writers", perOp, false, runDurable(8), Goal{Disk: 0.7}},
		{"insert-snap", "insert amid snapshots", perOp, false, runInsertSnap, snapGoal},
		{"update-snap", "update amid snapshots", perOp, false, runUpdateSnap, snapGoal},
		{"aged-scan", "scan after overwrites / before", factor, true, runAgedScan, agedGoal},
		{"aged-count", "count after overwrites / before", factor, true, runAgedCount, agedGoal},
	}
}

// workloadOf returns the workload with the name.
func workloadOf(name string) (Workload, bool) {
	for _, w := range workloads() {
		if w.Name == name {
			return w, true
		}
	}
	return Workload{}, false
}
