package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/kivisdb/kivis"
	"github.com/kivisdb/kivis/cmd/kivis/internal/place"
	"github.com/kivisdb/kivis/codec"
)

type backupCmd struct {
	DB    string   `arg:"" name:"database" help:"The database."`
	File  string   `arg:"" help:"The backup to write."`
	Since []string `placeholder:"FILE" sep:"none" help:"An earlier backup, and then each of its increments, in order: only what has changed since the last is written."`
	Force bool     `help:"Replace a file that is there."`
	output
}

// Help says what is in the file.
func (*backupCmd) Help() string {
	return `Writes one snapshot into one file, which restore reads into any kind of store, and which is a database that every reading command opens in place. ` +
		`It gets its name when it is whole and on the disk. Prints what the backup says of itself.`
}

var backupShape = shapeOf(codec.Field{Name: "incarnation", Type: textType}, codec.Field{Name: "version", Type: numberType}, codec.Field{Name: "previous", Type: nullText},
	codec.Field{Name: "hash", Type: textType}, codec.Field{Name: "entries", Type: numberType}, codec.Field{Name: "bytes", Type: numberType})

// printInfo prints what a backup says of itself.
func (o output) printInfo(c *call, info kivis.BackupInfo) error {
	var previous any
	if info.Previous != [32]byte{} {
		previous = fmt.Sprintf("%x", info.Previous)
	}
	return o.print(c, backupShape, [][]any{{
		fmt.Sprintf("%x", info.Incarnation[:]), info.Version, previous, fmt.Sprintf("%x", info.Hash), info.Entries, info.Bytes,
	}})
}

// Run writes the backup.
func (cmd *backupCmd) Run(c *call) error {
	defer frugal()()
	if _, err := os.Lstat(cmd.File); err == nil && !cmd.Force {
		return fmt.Errorf("%s is there already; --force replaces it", cmd.File)
	}
	if err := notOver(cmd.File, append(cmd.Since, pathOf(cmd.DB))...); err != nil {
		return err
	}
	since, done, err := openFiles(cmd.Since)
	if err != nil {
		return err
	}
	defer done()
	return c.on(cmd.DB, false, func(db *kivis.DB) error {
		bar := c.progress("backing up")
		var info kivis.BackupInfo
		err := writeFile(cmd.File, privateFile, func(w io.Writer) (err error) {
			info, err = db.Backup(c.ctx, w, &kivis.BackupOptions{Since: since, Progress: bar.total()})
			return err
		})
		bar.end()
		if err != nil {
			return err
		}
		return cmd.printInfo(c, info)
	})
}

// openFiles opens files to be read anywhere; done closes them.
func openFiles(names []string) (list []io.ReaderAt, done func(), err error) {
	var files []*os.File
	done = func() {
		for _, f := range files {
			f.Close()
		}
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			done()
			return nil, nil, err
		}
		files, list = append(files, f), append(list, f)
	}
	return list, done, nil
}

type restoreCmd struct {
	Args []string `arg:"" name:"file" help:"A backup, then its increments in order, and then the database to make: a path, of the kind badger, KIND:PATH, or a URL."`
	output
}

// Help says what becomes of a restore that is broken off.
func (*restoreCmd) Help() string {
	return `Verifies all of the files before it writes. A database whose restore was broken off is no database: the same command begins anew. ` +
		`What was restored is another incarnation of the database.`
}

// Run restores the files into a store that has nothing in it.
func (cmd *restoreCmd) Run(c *call) error {
	defer frugal()()
	n := len(cmd.Args) - 1
	if n < 1 {
		return usageError{errors.New("want a backup and the database to make")}
	}
	files, done, err := openFiles(cmd.Args[:n])
	if err != nil {
		return err
	}
	defer done()
	info, err := c.restore(cmd.Args[n], files)
	if err != nil {
		return err
	}
	return cmd.printInfo(c, info)
}

// restore makes a database of backups.
func (c *call) restore(to string, files []io.ReaderAt) (info kivis.BackupInfo, err error) {
	if info, err = kivis.VerifyBackup(c.ctx, files[0], files[1:]...); err != nil {
		return info, err // before anything is made
	}
	p, err := place.Find(to, true)
	if err != nil {
		return info, err
	}
	st, err := p.Open(&place.Options{})
	if err != nil {
		return info, err
	}
	info, err = kivis.Restore(c.ctx, st, files[0], files[1:]...)
	return info, errors.Join(err, st.Close())
}

type verifyCmd struct {
	Files []string `arg:"" name:"file" help:"A backup, then its increments in order."`
	output
}

// Run verifies backups and prints what the last says of itself.
func (cmd *verifyCmd) Run(c *call) error {
	defer frugal()()
	files, done, err := openFiles(cmd.Files)
	if err != nil {
		return err
	}
	defer done()
	info, err := kivis.VerifyBackup(c.ctx, files[0], files[1:]...)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.Files[0], err)
	}
	return cmd.printInfo(c, info)
}

type copyCmd struct {
	DB string `arg:"" name:"database" help:"The database."`
	To string `arg:"" help:"The database to make: a path, of the kind badger, KIND:PATH, or a URL."`
	output
}

// Help says how it is copied.
func (*copyCmd) Help() string {
	return `Copies one snapshot into a store of any kind, by way of a backup in the directory of the copy, which is then removed. ` +
		`The copy is another incarnation of the database; to backup:FILE it is a backup of this one.`
}

// Run copies the database.
func (cmd *copyCmd) Run(c *call) error {
	defer frugal()()
	p, err := place.Find(cmd.To, true)
	if err != nil {
		return err
	}
	if p.Kind == place.Backup {
		return (&backupCmd{DB: cmd.DB, File: p.Path, output: cmd.output}).Run(c)
	}
	dir := "" // for temporary files
	if !p.Elsewhere() {
		dir = filepath.Dir(p.Path)
	}
	f, err := os.CreateTemp(dir, ".kivis-copy-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	err = c.on(cmd.DB, false, func(db *kivis.DB) error {
		bar := c.progress("reading " + cmd.DB)
		defer bar.end()
		_, err := db.Backup(c.ctx, f, &kivis.BackupOptions{Progress: bar.total()})
		return err
	})
	if err != nil {
		return err
	}
	info, err := c.restore(cmd.To, []io.ReaderAt{f})
	if err != nil {
		return err
	}
	return cmd.printInfo(c, info)
}
