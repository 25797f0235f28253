package movein

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/kivisdb/kivis"
)

// gormPerson and gormTag are the tables as GORM has them: what is a slice in Kivis is
// a table of its own there.
type gormPerson struct {
	ID      uint
	Email   string `gorm:"uniqueIndex"`
	Name    string
	Age     int       `gorm:"index"`
	Tags    []gormTag `gorm:"foreignKey:PersonID"`
	BossID  *uint
	Created time.Time
}

type gormTag struct {
	ID       uint
	PersonID uint
	Name     string
}

// fromGORM moves all people out of a database that GORM has made, some at a time.
func fromGORM(ctx context.Context, old *gorm.DB, db *kivis.DB) error {
	return moveIn(ctx, db, func(add func(Person) error) error {
		var some []gormPerson
		return old.WithContext(ctx).Preload("Tags").FindInBatches(&some, 500, func(*gorm.DB, int) error {
			for _, g := range some {
				p := Person{ID: kivis.ID[Person](g.ID), Email: g.Email, Name: g.Name, Age: g.Age, Created: g.Created}
				for _, tag := range g.Tags {
					p.Tags = append(p.Tags, tag.Name)
				}
				if g.BossID != nil {
					boss := kivis.ID[Person](*g.BossID)
					p.Boss = &boss
				}
				if err := add(p); err != nil {
					return err
				}
			}
			return nil
		}).Error
	})
}

func TestGORM(t *testing.T) {
	old, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "old.db")), &gorm.Config{Logger: logger.Discard})
	if err == nil {
		err = old.AutoMigrate(&gormPerson{}, &gormTag{})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range crowd() {
		g := gormPerson{ID: uint(p.ID), Email: p.Email, Name: p.Name, Age: p.Age, Created: p.Created}
		for _, tag := range p.Tags {
			g.Tags = append(g.Tags, gormTag{Name: tag})
		}
		if p.Boss != nil {
			boss := uint(*p.Boss)
			g.BossID = &boss
		}
		if err := old.Create(&g).Error; err != nil {
			t.Fatal(err)
		}
	}
	db := empty(t)
	if err := fromGORM(t.Context(), old, db); err != nil {
		t.Fatal(err)
	}
	compare(t, db)
	if conn, err := old.DB(); err == nil {
		conn.Close()
	}
}
