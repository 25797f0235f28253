package objectstore

import "testing"

// TestGrowth: a checkpoint is due by bytes, by those of the last one, or by commits;
// who learns that another process has made one is no longer due.
func TestGrowth(t *testing.T) {
	g := growth{late: 1}
	for v := uint64(2); v <= 11; v++ {
		if g.due(100) {
			t.Fatalf("due at %d bytes", g.expected())
		}
		g.add(v, 10)
	}
	if !g.due(100) || g.due(101) {
		t.Errorf("at 100 bytes: due at 100 %v, at 101 %v", g.due(100), g.due(101))
	}
	g.checkpointed(8, 20)
	if g.expected() != 20+30 || g.due(31) || !g.due(30) {
		t.Errorf("three commits after a checkpoint: expected %d, due at 31 %v, at 30 %v", g.expected(), g.due(31), g.due(30))
	}
	g.checkpointed(8, 1000)
	if g.due(30) {
		t.Error("due at 30 bytes, and the checkpoint has 1000")
	}
	g.checkpointed(50, 0) // of a version that is not known here yet
	if g.due(1) {
		t.Error("due, and a checkpoint is newer than what is known")
	}
	g.add(60, 5) // what came between is in a checkpoint
	for v := range uint64(checkpointCommits - 1) {
		g.add(61+v, 0)
	}
	if !g.due(1000) {
		t.Errorf("not due after %d commits", checkpointCommits)
	}
	for range 20 {
		var g growth
		g.add(2, 100)
		if g.due(101) || !g.due(66) {
			t.Errorf("a process is late by %v", g.late)
		}
	}
}
