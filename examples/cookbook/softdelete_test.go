package cookbook

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/kivistest"
)

// Member has one living record for each email: nil counts as a value in the unique
// index, and deleted members have times that differ.
type Member struct {
	_ struct{} `kivis:"unique=live(Email:fold,DeletedAt:nilequal)"`
	kivis.Auto[Member]
	Email     string
	DeletedAt *time.Time
}

var memberDeleted = kivis.FieldOf(func(m *Member) **time.Time { return &m.DeletedAt })

// living are the members that are not deleted.
func living(conn kivis.Conn) kivis.Query[Member, kivis.ID[Member]] {
	return kivis.TableOf[Member](conn).Where(kivis.IsNil(memberDeleted))
}

// remove marks a member as deleted.
func remove(ctx context.Context, db *kivis.DB, id kivis.ID[Member]) error {
	_, err := kivis.TableOf[Member](db).Modify(ctx, id, func(m *Member) error {
		if m.DeletedAt != nil {
			return kivis.ErrNotFound
		}
		now := time.Now().UTC()
		m.DeletedAt = &now
		return nil
	})
	return err
}

func TestSoftDelete(t *testing.T) {
	ctx := t.Context()
	db := kivistest.New(t, &Member{})
	members := kivis.TableOf[Member](db)
	id, err := members.Insert(ctx, &Member{Email: "ann@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	var taken *kivis.UniqueError
	if _, err := members.Insert(ctx, &Member{Email: "Ann@example.com"}); !errors.As(err, &taken) {
		t.Errorf("a second living one: %v", err)
	}
	if err := remove(ctx, db, id); err != nil {
		t.Fatal(err)
	}
	if err := remove(ctx, db, id); !errors.Is(err, kivis.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := members.Insert(ctx, &Member{Email: "ann@example.com"}); err != nil {
		t.Errorf("once the first is gone: %v", err)
	}
	if n, err := living(db).Count(ctx); n != 1 || err != nil {
		t.Errorf("%d are living, %v", n, err)
	}
}
