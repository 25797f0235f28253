package badgerstore

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Badger keeps the log of each memtable in a file NNNNN.mem, made at twice the
// memtable's size and cut to what it holds when the memtable is reopened.

// newestLog returns the number of the newest memtable log in dir, 0 if there is
// none.
func newestLog(dir string) (int, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("badgerstore: %w", err)
	}
	newest := 0
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".mem")
		if n, err := strconv.Atoi(name); ok && err == nil {
			newest = max(newest, n)
		}
	}
	return newest, nil
}

// logWatch notices when Badger begins a new log: it numbers them upwards.
type logWatch struct {
	dir  string
	fid  int    // of the current log
	next string // path of the one after it
}

func watchLogs(dir string) (*logWatch, error) {
	fid, err := newestLog(dir)
	if err != nil {
		return nil, err
	}
	w := &logWatch{dir: dir}
	w.set(fid)
	return w, nil
}

func (w *logWatch) set(fid int) {
	w.fid = fid
	w.next = filepath.Join(w.dir, fmt.Sprintf("%05d.mem", fid+1))
}

// rotated says whether there is a new log since the last call.
func (w *logWatch) rotated() bool {
	found := false
	for {
		if _, err := os.Lstat(w.next); err != nil {
			return found
		}
		found = true
		w.set(w.fid + 1)
	}
}

// Bits of an entry's meta byte in a log.
const (
	walTxn    = 1 << 6 // part of a transaction
	walFinTxn = 1 << 7 // the end of one
	walHeader = 20     // bytes before the first entry
)

// logEnd returns where the last whole transaction in a log ends: to where
// Badger would cut it. It reads as Badger does in logFile.iterate.
func logEnd(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.Seek(walHeader, io.SeekStart); err != nil {
		return 0, err
	}
	r := &logReader{r: bufio.NewReaderSize(f, 1<<16), at: walHeader, head: make([]byte, 0, 32)}
	end, txn := int64(walHeader), ""
	for r.next() {
		switch {
		case r.meta&walTxn != 0:
			if len(r.key) < 8 {
				return end, nil
			}
			version := string(r.key[len(r.key)-8:])
			if txn == "" {
				txn = version
			}
			if txn != version {
				return end, nil
			}
		case r.meta&walFinTxn != 0:
			n, err := strconv.ParseUint(string(r.value), 10, 64)
			if err != nil || txn != string(binary.BigEndian.AppendUint64(nil, ^n)) {
				return end, nil
			}
			txn, end = "", r.at
		case txn != "":
			return end, nil
		default:
			end = r.at
		}
	}
	return end, nil
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
