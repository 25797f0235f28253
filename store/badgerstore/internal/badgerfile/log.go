package badgerfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4/y"
)

// Badger keeps the log of each memtable in a file NNNNN.mem, made at twice the
// memtable's size and cut to what it holds when the memtable is reopened.

// LogPath returns the path of a log in dir.
func LogPath(dir string, fid int) string { return filepath.Join(dir, fmt.Sprintf("%05d.mem", fid)) }

// ListLogs returns the numbers of the memtable logs in dir, oldest first.
func ListLogs(dir string) (fids []int, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".mem")
		if n, err := strconv.Atoi(name); ok && err == nil {
			fids = append(fids, n)
		}
	}
	slices.Sort(fids)
	return fids, nil
}

// Bits of an entry's meta byte.
const (
	metaDelete = 1 << 0 // a deletion
	metaTxn    = 1 << 6 // in a log: part of a transaction
	metaFin    = 1 << 7 // in a log: the end of one
)

// LogHeader is how many bytes of a log are before its first entry.
const LogHeader = 20

// Log is what is whole in a log.
type Log struct {
	Fid         int
	End         int64  // of the last whole transaction
	First, Last uint64 // versions; 0 if there is none

	gap     uint64 // a version that is missing next, though later ones are there; or 0
	stamped bool   // the stamp is in it
}

// ReadLogs returns what is whole in the logs of dir, and the first version that
// is missing between others, or 0; what follows that does not count as whole.
// Badger ends the replay of a log at the first damaged entry, and goes on with
// the next log as if nothing had happened. But versions follow each other
// without a gap, from known on, the newest in the tables.
//
// One gap is as it should be. Compactions drop what nobody sees any more from
// the tables, of the versions up to one that has the key stamp. So where the
// stamp is in the logs, the last versions before them may have gone altogether,
// as one does that deleted keys and nothing else.
func ReadLogs(dir string, known uint64, stamp []byte) (whole []Log, gap uint64, err error) {
	fids, err := ListLogs(dir)
	if err != nil {
		return nil, 0, err
	}
	last, before, stamped := known, 0, false
	defer func() {
		if before > 0 && !stamped && err == nil {
			whole, gap = whole[:before-1], known+1
		}
	}()
	for _, fid := range fids {
		x, err := ReadLog(dir, fid, last, stamp)
		if err != nil {
			return nil, 0, err
		}
		stamped = stamped || x.stamped
		if x.First > last+1 && last > known {
			return whole, last + 1, nil
		}
		if x.First > last+1 {
			before = len(whole) + 1
		}
		whole = append(whole, x)
		if x.gap > 0 {
			return whole, x.gap, nil
		}
		last = max(last, x.Last)
	}
	return whole, 0, nil
}

// ReadLog reads a log as Badger does in logFile.iterate. The newest version in
// the tables and the logs before it is last.
func ReadLog(dir string, fid int, last uint64, stamp []byte) (Log, error) {
	x := Log{Fid: fid, End: LogHeader}
	f, err := os.Open(LogPath(dir, fid))
	if err != nil {
		return x, err
	}
	defer f.Close()
	if _, err := f.Seek(LogHeader, io.SeekStart); err != nil {
		return x, err
	}
	x.read(newLogReader(f), stamp)
	if _, err := f.Seek(x.End, io.SeekStart); err != nil {
		return x, err
	}
	x.gap, err = missedVersion(f, max(last, x.Last))
	return x, err
}

// read takes in whole transactions, up to the first damage.
func (x *Log) read(r *logReader, stamp []byte) {
	var txn uint64 // the version of the transaction that has begun
	stamped := false
	for r.next() {
		switch {
		case r.meta&metaTxn != 0:
			version := y.ParseTs(r.key)
			if txn == 0 {
				txn = version
			}
			if txn != version {
				return
			}
			stamped = stamped || bytes.Equal(y.ParseKey(r.key), stamp)
		case r.meta&metaFin != 0:
			version, err := strconv.ParseUint(string(r.value), 10, 64)
			if err != nil || version != txn {
				return
			}
			if x.First == 0 {
				x.First = version
			}
			x.Last, x.End, x.stamped, txn = version, r.at, stamped, 0
		case txn != 0:
			return
		default:
			x.End = r.at
		}
	}
}

// missedVersion looks for what lies behind the end of a log, and returns the
// version after last if something proves that it was there: an entry of a later
// one, or any entry behind the end of a transaction. A commit that was cut short
// leaves nothing but its own transaction. If that is the last one, and damaged,
// it cannot be told from one that was cut short.
func missedVersion(f io.Reader, last uint64) (uint64, error) {
	data, err := io.ReadAll(f)
	if err != nil {
		return 0, err
	}
	ended := false
	for at := 0; at < len(data); {
		if !plausible(data[at:]) {
			at++
			continue
		}
		r := logReader{r: bufio.NewReader(bytes.NewReader(data[at:])), head: make([]byte, 0, 32)}
		if !r.next() {
			at++
			continue
		}
		if ended || y.ParseTs(r.key) > last+1 {
			return last + 1, nil
		}
		ended = r.meta&metaFin != 0
		at += int(r.at)
	}
	return 0, nil
}

// plausible says whether an entry may begin here, without reading all of it: as
// part of a transaction, with a key that has a version, without an expiry.
func plausible(b []byte) bool {
	if len(b) < 5 || b[0]&(metaTxn|metaFin) == 0 {
		return false
	}
	klen, n := binary.Uvarint(b[2:])
	if n <= 0 || klen <= 8 || klen > 1<<16 {
		return false
	}
	vlen, m := binary.Uvarint(b[2+n:])
	at := 2 + n + m
	return m > 0 && at < len(b) && b[at] == 0 && klen+vlen <= uint64(len(b)-at)
}

// CutLogs removes from the logs of dir what is not whole, the newest first, so
// that what is left is whole at any moment, and keeps it under other names. The
// directory is to be synced then.
func CutLogs(dir string, whole []Log) error {
	fids, err := ListLogs(dir)
	if err != nil {
		return err
	}
	for len(fids) > len(whole) {
		path := LogPath(dir, fids[len(fids)-1])
		to, err := freeName(path + ".lost")
		if err != nil {
			return err
		}
		if err := os.Rename(path, to); err != nil {
			return err
		}
		fids = fids[:len(fids)-1]
	}
	if len(whole) == 0 {
		return nil
	}
	last := whole[len(whole)-1]
	path := LogPath(dir, last.Fid)
	if err := keepCopy(path); err != nil {
		return err
	}
	return os.Truncate(path, last.End)
}

// keepCopy copies a file, durably, under another name.
func keepCopy(path string) error {
	to, err := freeName(path + ".lost")
	if err != nil {
		return err
	}
	src, err := os.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Sync(), dst.Close())
}

// freeName returns a path that nothing has, path itself or one with a number.
func freeName(path string) (string, error) {
	for name, i := path, 1; i < 1000; name, i = fmt.Sprintf("%s.%d", path, i), i+1 {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("%s: too many files of this name", path)
}

// logReader reads the entries of a log.
type logReader struct {
	r    *bufio.Reader
	at   int64 // behind the entry
	head []byte

	meta, user byte
	key, value []byte
	buf        []byte
}

// newLogReader returns a reader of a log whose header has been read.
func newLogReader(f io.Reader) *logReader {
	return &logReader{r: bufio.NewReaderSize(f, 1<<16), at: LogHeader, head: make([]byte, 0, 32)}
}

// next reads an entry and says whether it is a sound one.
func (r *logReader) next() bool {
	r.head = r.head[:0]
	r.meta = r.byte()
	r.user = r.byte()
	klen, vlen := r.uvarint(), r.uvarint()
	r.uvarint() // the time of expiry
	if r.head == nil || klen == 0 || klen > 1<<16 || vlen > 1<<30 {
		return false
	}
	r.buf = grown(r.buf, int(klen+vlen)+crc32.Size)
	if _, err := io.ReadFull(r.r, r.buf); err != nil {
		return false
	}
	data, sum := r.buf[:klen+vlen], binary.BigEndian.Uint32(r.buf[klen+vlen:])
	if crc32.Update(crc32.Checksum(r.head, castagnoli), castagnoli, data) != sum {
		return false
	}
	r.key, r.value = data[:klen], data[klen:]
	r.at += int64(len(r.head) + len(r.buf))
	return true
}

// byte reads a byte of the head, which becomes nil at the end of the file.
func (r *logReader) byte() byte {
	b, err := r.r.ReadByte()
	if err != nil || r.head == nil {
		r.head = nil
		return 0
	}
	r.head = append(r.head, b)
	return b
}

func (r *logReader) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7F) << shift
		if b < 0x80 {
			return v
		}
	}
	return 0
}

// LogTransactions returns where the whole transactions in the bytes of a log
// end.
func LogTransactions(data []byte) (ends []int) {
	r := newLogReader(bytes.NewReader(data[min(LogHeader, len(data)):]))
	for r.next() {
		if r.meta&metaFin != 0 {
			ends = append(ends, int(r.at))
		}
	}
	return ends
}

// Entries calls f with every entry of what is whole in a log in dir, in the
// order in which they were written. What f gets is good until it returns.
func (x Log) Entries(dir string, f func(Entry) error) error {
	path := LogPath(dir, x.Fid)
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(LogHeader, io.SeekStart); err != nil {
		return fileError("log", path, err)
	}
	r := newLogReader(file)
	for r.at < x.End && r.next() {
		if r.meta&metaFin != 0 {
			continue
		}
		if err := f(r.entry()); err != nil {
			return err
		}
	}
	return nil
}

func (r *logReader) entry() Entry {
	return Entry{
		Key: y.ParseKey(r.key), Version: y.ParseTs(r.key),
		Deleted: r.meta&metaDelete != 0, User: r.user, Value: r.value,
	}
}
