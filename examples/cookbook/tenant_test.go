package cookbook

import (
	"context"
	"testing"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Tenant owns tasks, which go with it.
type Tenant struct {
	Name string `kivis:"key"`
}

// Task has its tenant first in its key, so that those of one lie together.
type Task struct {
	_      struct{}       `kivis:"index=due(Tenant,Due)"`
	Tenant string         `kivis:"key,ref=Tenant,ondelete=cascade"`
	ID     kivis.ID[Task] `kivis:"key,auto"`
	Due    int
	Text   string
}

type taskKey struct {
	Tenant string
	ID     kivis.ID[Task]
}

var (
	taskTenant = kivis.FieldOf(func(t *Task) *string { return &t.Tenant })
	taskDue    = kivis.FieldOf(func(t *Task) *int { return &t.Due })
)

// tasksOf are the tasks of one tenant: what everything else in the program begins with.
func tasksOf(conn kivis.Conn, tenant string) kivis.Query[Task, taskKey] {
	return kivis.TableBy[Task, taskKey](conn).Where(taskTenant.Eq(tenant))
}

// due is the tenant's next tasks, read off the index in order.
func due(ctx context.Context, db *kivis.DB, tenant string, by int) ([]Task, error) {
	return tasksOf(db, tenant).Where(taskDue.Le(by)).OrderBy(taskDue.Asc()).Limit(10).Collect(ctx)
}

func TestTenant(t *testing.T) {
	ctx := t.Context()
	db := kivistest.New(t, &Tenant{}, &Task{})
	tenants, tasks := kivis.TableBy[Tenant, string](db), kivis.TableBy[Task, taskKey](db)
	for _, name := range []string{"acme", "umbrella"} {
		if _, err := tenants.Insert(ctx, &Tenant{name}); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if _, err := tasks.Insert(ctx, &Task{Tenant: name, Due: 10 - i, Text: name}); err != nil {
				t.Fatal(err)
			}
		}
	}
	list, err := due(ctx, db, "acme", 9)
	if err != nil || len(list) != 2 || list[0].Due != 8 || list[0].Text != "acme" {
		t.Errorf("due are %+v, %v", list, err)
	}
	if err := tenants.Delete(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	if n, err := tasks.Count(ctx); n != 3 || err != nil {
		t.Errorf("%d tasks are left, %v", n, err)
	}
}
