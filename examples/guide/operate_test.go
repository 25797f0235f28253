package guide

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/memstore"
)

func open(st store.Store, log *slog.Logger) (*kivis.DB, error) {
	return kivis.Open(st, &kivis.Options{
		Logger:      log,
		Slow:        100 * time.Millisecond, // calls that take longer are logged
		RefuseScans: true,                   // a Where that no index serves is ErrFullScan
		Tracer:      tracer{log},
	})
}

// tracer logs every call. A tracer that makes spans starts one in Start, and
// puts it in the context that End gets.
type tracer struct{ log *slog.Logger }

func (t tracer) Start(ctx context.Context, op kivis.Op) context.Context {
	t.log.DebugContext(ctx, "begin", "call", op.Call, "table", op.Table)
	return ctx
}

func (t tracer) End(ctx context.Context, r kivis.Outcome) {
	t.log.DebugContext(ctx, "end", "rows", r.Rows, "entries", r.Entries, "attempts", r.Attempts, "err", r.Err)
}

func audit(ctx context.Context, db *kivis.DB, repair bool) error {
	report, err := db.Check(ctx, &kivis.CheckOptions{Repair: repair})
	if err != nil {
		return err
	}
	for _, fault := range report.Faults {
		fmt.Println(fault)
	}
	if !report.Clean() {
		return fmt.Errorf("%d faults in %d records", len(report.Faults), report.Records)
	}
	return nil
}

func taken(ctx context.Context, db *kivis.DB, email string) (kivis.ID[Customer], bool, error) {
	_, err := customers.With(db).Insert(ctx, &Customer{Email: email})
	var unique *kivis.UniqueError
	if !errors.As(err, &unique) {
		return 0, false, err
	}
	holder, _ := kivis.KeyOf[kivis.ID[Customer]](err) // the key of who has it
	return holder, true, nil
}

func TestOperate(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := open(memstore.New(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Register(&Customer{}, &Order{}); err != nil {
		t.Fatal(err)
	}
	id, err := customers.With(db).Insert(bg, &Customer{Email: "ann@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	holder, is, err := taken(bg, db, "ANN@example.com")
	if err != nil || !is || holder != id {
		t.Errorf("taken = %v, %v, %v, want %v", holder, is, err, id)
	}
	if _, err := orders.With(db).Where(orderCents.Eq(1)).Collect(bg); !errors.Is(err, kivis.ErrFullScan) {
		t.Errorf("a full scan: %v, want ErrFullScan", err)
	}
	if err := audit(bg, db, false); err != nil {
		t.Error(err)
	}
	if !bytes.Contains(out.Bytes(), []byte("call=insert")) {
		t.Errorf("the log has no insert:\n%s", &out)
	}
	if s := db.Stats(); s.Commits == 0 || s.OpenTx != 0 {
		t.Errorf("stats = %+v", s)
	}
}
