package main

import (
	"errors"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// gormDB is GORM over SQLite, tuned as its documentation advises: statements
// are prepared and kept, and single writes are in no transaction but SQLite's
// own.
type gormDB struct {
	pools       *sqlitePools
	read, write *gorm.DB
}

func openGORMPure(cfg Config) (Contender, error) { return openGORM(pureSQLite, cfg) }

func openGORM(d sqliteDriver, cfg Config) (Contender, error) {
	pools, err := d.open(cfg)
	if err != nil {
		return nil, err
	}
	c := &gormDB{pools: pools}
	conf := &gorm.Config{PrepareStmt: true, SkipDefaultTransaction: true, Logger: logger.Discard}
	if c.write, err = gorm.Open(sqlite.New(sqlite.Config{Conn: pools.write}), conf); err == nil {
		if err = c.write.AutoMigrate(&Record{}); err == nil {
			c.read, err = gorm.Open(sqlite.New(sqlite.Config{Conn: pools.read}), conf)
		}
	}
	if err != nil {
		return nil, errors.Join(err, pools.Close())
	}
	return c, nil
}

func (c *gormDB) Close() error { return c.pools.Close() }

// gormFault returns the errors of the interface for GORM's and SQLite's.
func gormFault(err error) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return errNotFound
	}
	return sqliteFault(err)
}

func (c *gormDB) Insert(r *Record) error { return gormFault(c.write.Create(r).Error) }

func (c *gormDB) InsertMany(rs []Record) error {
	return gormFault(c.write.Transaction(func(tx *gorm.DB) error { return tx.Create(&rs).Error }))
}

func (c *gormDB) Get(id uint64) (r Record, err error) {
	err = gormFault(c.read.Take(&r, id).Error)
	return r, err
}

func (c *gormDB) ByEmail(email string) (r Record, err error) {
	err = gormFault(c.read.Where("email = ?", email).Take(&r).Error)
	return r, err
}

// find visits what a query finds.
func (c *gormDB) find(q *gorm.DB, visit func(Record)) error {
	var rs []Record
	if err := q.Find(&rs).Error; err != nil {
		return err
	}
	for i := range rs {
		visit(rs[i])
	}
	return nil
}

func (c *gormDB) ByCity(city string, visit func(Record)) error {
	return c.find(c.read.Where("city = ?", city), visit)
}

func (c *gormDB) FromAge(age, limit int, visit func(Record)) error {
	return c.find(c.read.Where("age >= ?", age).Order("age, id").Limit(limit), visit)
}

func (c *gormDB) FromID(id uint64, limit int, visit func(Record)) error {
	return c.find(c.read.Where("id >= ?", id).Order("id").Limit(limit), visit)
}

func (c *gormDB) Named(name string, visit func(Record)) error {
	return c.find(c.read.Where("name = ?", name), visit)
}

func (c *gormDB) Filter(keep func(*Record) bool, visit func(Record)) error {
	return c.All(func(r Record) {
		if keep(&r) {
			visit(r)
		}
	})
}

// All streams, since a table may be larger than the memory.
func (c *gormDB) All(visit func(Record)) (err error) {
	rows, err := c.read.Model(&Record{}).Rows()
	if err != nil {
		return err
	}
	defer closing(rows, &err)
	for rows.Next() {
		var r Record
		if err := c.read.ScanRows(rows, &r); err != nil {
			return err
		}
		visit(r)
	}
	return rows.Err()
}

func (c *gormDB) CountAges(lo, hi int) (int, error) {
	var n int64
	err := c.read.Model(&Record{}).Where("age >= ? AND age < ?", lo, hi).Count(&n).Error
	return int(n), err
}

func (c *gormDB) SetAge(id uint64, age int) error {
	return gormChanged(c.write.Model(&Record{}).Where("id = ?", id).Update("age", age))
}

func (c *gormDB) SetBio(id uint64, bio string) error {
	return gormChanged(c.write.Model(&Record{}).Where("id = ?", id).Update("bio", bio))
}

func (c *gormDB) Delete(id uint64) error { return gormChanged(c.write.Delete(&Record{}, id)) }

// gormChanged returns errNotFound where a statement changed nothing.
func gormChanged(db *gorm.DB) error {
	return oneRow(db.RowsAffected, gormFault(db.Error))
}
