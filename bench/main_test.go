package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain is also the main function of the children that the tests start,
// which are this program run again.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(childMain())
	}
	os.Exit(m.Run())
}

// TestQuick runs all of it, small, and only looks whether it works: that all
// contenders give the same answers, and that there is something to show.
func TestQuick(t *testing.T) {
	dir := t.TempDir()
	jsonFile, svgFile := filepath.Join(dir, "run.json"), filepath.Join(dir, "chart.svg")
	var out, progress bytes.Buffer
	err := run([]string{"-quick", "-dir", dir, "-json", jsonFile, "-svg", svgFile}, &out, &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	for _, e := range entries() {
		if !strings.Contains(out.String(), e.Name) {
			t.Errorf("the report has no %s:\n%s", e.Name, out.String())
		}
	}
	for _, w := range workloads() {
		if !strings.Contains(out.String(), w.Name) {
			t.Errorf("the report has no %s", w.Name)
		}
	}
	if strings.Contains(out.String(), "left out") {
		t.Errorf("contenders were left out:\n%s", out.String())
	}
	svg, err := os.ReadFile(svgFile)
	if err != nil || !bytes.Contains(svg, []byte("</svg>")) {
		t.Errorf("the chart is %d bytes, %v", len(svg), err)
	}
	var again bytes.Buffer
	if err := run([]string{"-from", jsonFile}, &again, &progress); err != nil || again.String() != out.String() {
		t.Errorf("the report from the file differs (%v):\n%s", err, again.String())
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("the run left %v behind, %v", left, err)
	}
}
