package main

// Workload is something that contenders are measured at.
type Workload struct {
	Name  string
	Title string
	Unit  Unit
	Once  bool // measured once in a round, not once in each slice of it
	Run   func(*session) (Measure, error)
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

// workloads returns all workloads in the order in which they are run: the
// table is loaded, read, and then changed. The first one is always run.
func workloads() []Workload {
	return []Workload{
		{"bulk", "insert, 1,000 a transaction", perOp, true, runBulk},
		{"disk", "disk, bytes a record", bytes1, true, runDisk},
		{"open", "open and first get", perOp, false, runOpen},
		{"get", "get by key", perOp, false, runGet(1)},
		{"get-2", "get by key, 2 threads", perOp, false, runGet(2)},
		{"email", "get by unique email", perOp, false, runEmail},
		{"city", "equality on an index, ~10 records", perOp, false, runCity},
		{"range", "ordered range, 100 records", perOp, false, runRange},
		{"filter", "scan with a declared predicate", perOp, false, runFilter},
		{"func", "scan with a function", perOp, false, runFunc},
		{"all", "scan, all decoded", perOp, false, runAll},
		{"count", "count of a tenth by index", perOp, false, runCount},
		{"memory", "peak memory of load and reads", bytesN, true, runMemory},
		{"import", "import", perOp, true, runImport},
		{"update-index", "update of an indexed field", perOp, false, runSetAge},
		{"update-plain", "update of a plain field", perOp, false, runSetBio},
		{"insert", "insert", perOp, false, runInsert(1)},
		{"insert-8", "insert, 8 writers", perOp, false, runInsert(8)},
		{"delete", "delete", perOp, false, runDelete},
		{"ycsb-a", "YCSB A: half gets, half updates", perOp, false, runYCSB(0.5)},
		{"ycsb-b", "YCSB B: 95 % gets, updates", perOp, false, runYCSB(0.95)},
		{"ycsb-e", "YCSB E: 95 % ranges, inserts", perOp, false, runYCSBE},
		{"insert-durable", "insert with fsync", perOp, false, runDurable(1)},
		{"insert-durable-8", "insert with fsync, 8 writers", perOp, false, runDurable(8)},
		{"insert-snap", "insert amid snapshots", perOp, false, runInsertSnap},
		{"update-snap", "update amid snapshots", perOp, false, runUpdateSnap},
		{"aged-scan", "scan after overwrites / before", factor, true, runAgedScan},
		{"aged-count", "count after overwrites / before", factor, true, runAgedCount},
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
