package badgerstore

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/dgraph-io/badger/v4/y"
)

// Badger keeps the log of each memtable in a file NNNNN.mem, made at twice the
// memtable's size and cut to what it holds when the memtable is reopened.

func logPath(dir string, fid int) string { return filepath.Join(dir, fmt.Sprintf("%05d.mem", fid)) }

// listLogs returns the numbers of the memtable logs in dir, oldest first.
func listLogs(dir string) (fids []int, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
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

// currentLog is the log that Badger writes to. Badger numbers logs upwards, and
// looks for room in one before each request, so that a request is in one log as
// a whole, and that one is the newest when the request has been answered.
type currentLog struct {
	dir  string
	fid  int
	next string   // path of the one after it
	file *os.File // nil if Badger syncs, or nobody does
	sync bool
}

// find looks for the current log. It is due at the beginning, and whenever
// requests have passed without a call of moved: logs go, too.
func (l *currentLog) find() error {
	fids, err := listLogs(l.dir)
	if err != nil {
		return err
	}
	fid := 0
	if len(fids) > 0 {
		fid = fids[len(fids)-1]
	}
	return l.set(fid)
}

func (l *currentLog) set(fid int) (err error) {
	l.fid, l.next = fid, logPath(l.dir, fid+1)
	if !l.sync {
		return nil
	}
	l.close()
	if l.file, err = os.Open(logPath(l.dir, fid)); err != nil {
		return fmt.Errorf("badgerstore: %w", err)
	}
	return nil
}

// moved says whether the last request has begun a new log.
func (l *currentLog) moved() (bool, error) {
	if _, err := os.Lstat(l.next); err != nil {
		return false, nil
	}
	return true, l.set(l.fid + 1)
}

// flush makes the last request survive a power failure: what is in the log,
// unless Badger has done that, and the log's entry in its directory, which
// Badger leaves out.
func (l *currentLog) flush() error {
	moved, err := l.moved()
	if err == nil && moved {
		err = syncDir(l.dir)
	}
	if err == nil && l.file != nil {
		err = syncData(l.file)
	}
	return err
}

func (l *currentLog) close() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// Bits of an entry's meta byte in a log.
const (
	walTxn    = 1 << 6 // part of a transaction
	walFinTxn = 1 << 7 // the end of one
	walHeader = 20     // bytes before the first entry
)

// logExtent is what is sound in a log.
type logExtent struct {
	fid         int
	end         int64  // of the last whole transaction
	first, last uint64 // versions; 0 if there is none
	gap         uint64 // a version that is missing next, though later ones are there; or 0
	stamped     bool   // stampKey is there
}

// readLogs returns what is sound in the logs of dir, and the first version that
// is missing between others, or 0; what follows that is not sound. Badger ends
// the replay of a log at the first damaged entry, and goes on with the next log
// as if nothing had happened. But there is no gap between versions.
func readLogs(dir string) (sound []logExtent, gap uint64, err error) {
	fids, err := listLogs(dir)
	if err != nil {
		return nil, 0, err
	}
	last := uint64(0)
	for _, fid := range fids {
		x, err := readLog(logPath(dir, fid), last)
		if err != nil {
			return nil, 0, fmt.Errorf("badgerstore: %w", err)
		}
		if last > 0 && x.first > last+1 {
			return sound, last + 1, nil
		}
		x.fid = fid
		sound = append(sound, x)
		if x.gap > 0 {
			return sound, x.gap, nil
		}
		last = max(last, x.last)
	}
	return sound, 0, nil
}

// readLog reads a log as Badger does in logFile.iterate. The newest version in
// the logs before it is last.
func readLog(path string, last uint64) (logExtent, error) {
	x := logExtent{end: walHeader}
	f, err := os.Open(path)
	if err != nil {
		return x, err
	}
	defer f.Close()
	if _, err := f.Seek(walHeader, io.SeekStart); err != nil {
		return x, err
	}
	x.read(newLogReader(f))
	if _, err := f.Seek(x.end, io.SeekStart); err != nil {
		return x, err
	}
	x.gap, err = missedVersion(f, max(last, x.last))
	return x, err
}

// read takes in whole transactions, up to the first damage.
func (x *logExtent) read(r *logReader) {
	var txn uint64 // the version of the transaction that has begun
	for r.next() {
		switch {
		case r.meta&walTxn != 0:
			version := y.ParseTs(r.key)
			if txn == 0 {
				txn = version
			}
			if txn != version {
				return
			}
			x.stamped = x.stamped || bytes.Equal(y.ParseKey(r.key), stampKey)
		case r.meta&walFinTxn != 0:
			version, err := strconv.ParseUint(string(r.value), 10, 64)
			if err != nil || version != txn {
				return
			}
			if x.first == 0 {
				x.first = version
			}
			x.last, x.end, txn = version, r.at, 0
		case txn != 0:
			return
		default:
			x.end = r.at
		}
	}
}

var finKey = []byte("!badger!txn")

// missedVersion looks for whole transactions behind the end of a log, and
// returns the version that is missing before them, after last, or 0. A commit
// that was cut short leaves the end of one transaction there at most: its own.
func missedVersion(f io.Reader, last uint64) (uint64, error) {
	data, err := io.ReadAll(f)
	if err != nil {
		return 0, err
	}
	ends := 0
	first := uint64(0)
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], finKey)
		if i < 0 {
			return 0, nil
		}
		at += i
		// Meta, user meta, two lengths and an expiry are a byte each.
		const head = 5
		r := newLogReader(bytes.NewReader(data[max(0, at-head):]))
		if !r.next() || r.meta&walFinTxn == 0 {
			continue
		}
		if first == 0 {
			first = y.ParseTs(r.key)
		}
		if ends++; ends == 2 && last > 0 {
			return last + 1, nil
		} else if ends == 2 {
			return first, nil
		}
	}
}

// cutLogs removes from the logs of dir what is not sound, the newest first, so
// that what is left is sound at any moment.
func cutLogs(dir string, sound []logExtent) error {
	fids, err := listLogs(dir)
	if err != nil {
		return err
	}
	for len(fids) > len(sound) {
		newest := fids[len(fids)-1]
		if err := os.Remove(logPath(dir, newest)); err != nil {
			return fmt.Errorf("badgerstore: %w", err)
		}
		fids = fids[:len(fids)-1]
	}
	if n := len(sound); n > 0 {
		if err := os.Truncate(logPath(dir, sound[n-1].fid), sound[n-1].end); err != nil {
			return fmt.Errorf("badgerstore: %w", err)
		}
	}
	return syncDir(dir)
}

// logReader reads the entries of a log.
type logReader struct {
	r    *bufio.Reader
	at   int64 // behind the entry
	head []byte

	meta       byte
	key, value []byte
	buf        []byte
}

// newLogReader returns a reader of a log whose header has been read.
func newLogReader(f io.Reader) *logReader {
	return &logReader{r: bufio.NewReaderSize(f, 1<<16), at: walHeader, head: make([]byte, 0, 32)}
}

// next reads an entry and says whether it is a sound one.
func (r *logReader) next() bool {
	r.head = r.head[:0]
	r.meta = r.byte()
	r.byte() // the user's meta byte
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
