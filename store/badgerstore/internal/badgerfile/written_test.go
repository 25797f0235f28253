package badgerfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/y"
)

const magic = 42

// written is what was written to Badger, by key: the newest first.
type written map[string][]Entry

func (w written) add(key string, version uint64, value []byte, user byte, deleted bool) {
	w[key] = append([]Entry{{Version: version, Value: value, User: user, Deleted: deleted}}, w[key]...)
}

// fill writes entries of one size, several versions of some, and deletions.
func fill(t *testing.T, db *badger.DB, size int, r *rand.Rand) written {
	w := written{}
	for version := uint64(1); version <= 5; version++ {
		txn := db.NewTransactionAt(version, true)
		for i := range max(5, min(200, 200_000/(size+1))) {
			key := fmt.Sprintf("key/%d/%03d", size, i)
			if int(version) > 1+i%5 {
				continue
			}
			if version == 4 {
				check(t, txn.Delete([]byte(key)))
				w.add(key, version, nil, 0, true)
				continue
			}
			value := make([]byte, r.IntN(size+1))
			for j := 0; j < len(value); j += 8 {
				var word [8]byte
				binary.LittleEndian.PutUint64(word[:], r.Uint64()&0x3333333333333333) // so that some can be saved
				copy(value[j:], word[:])
			}
			check(t, txn.SetEntry(badger.NewEntry([]byte(key), value).WithMeta(byte(i))))
			w.add(key, version, value, byte(i), false)
		}
		check(t, txn.CommitAt(version, nil))
	}
	return w
}

// take compares an entry that was read with what was written, and takes it off.
func (w written) take(t *testing.T, e Entry) {
	t.Helper()
	if bytes.HasPrefix(e.Key, []byte("!badger!")) {
		return
	}
	left := w[string(e.Key)]
	i := slices.IndexFunc(left, func(x Entry) bool { return x.Version == e.Version })
	if i < 0 {
		t.Fatalf("%s at version %d was read, but not written, or read twice", e.Key, e.Version)
	}
	x := left[i]
	if !bytes.Equal(x.Value, e.Value) || x.User != e.User || x.Deleted != e.Deleted {
		t.Errorf("%s at version %d is %x, %d, deleted %t; written was %x, %d, %t",
			e.Key, e.Version, e.Value, e.User, e.Deleted, x.Value, x.User, x.Deleted)
	}
	if w[string(e.Key)] = slices.Delete(left, i, i+1); len(left) == 1 {
		delete(w, string(e.Key))
	}
}

// Every byte that Badger has written is read back, from its logs and its tables,
// under each compression and in several sizes.
func TestWrittenByBadger(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for i, c := range []options.CompressionType{options.None, options.Snappy, options.ZSTD} {
		for j, block := range []int{256, 4 << 10, 64 << 10} {
			for k, size := range []int{0, 10, 5000, 150_000} {
				if testing.Short() && (i+j+k)%3 > 0 {
					continue // any two values meet in one of the rest
				}
				t.Run(fmt.Sprintf("compression %d, blocks %d, values %d", c, block, size), func(t *testing.T) {
					dir := t.TempDir()
					db, err := badger.OpenManaged(badger.DefaultOptions(dir).WithLogger(nil).WithCompression(c).
						WithBlockSize(block).WithMemTableSize(8 << 20).WithNumVersionsToKeep(100).
						WithValueThreshold(200_000).WithValueLogFileSize(1 << 20).WithExternalMagic(magic))
					check(t, err)
					w := fill(t, db, size, r)
					readLogs(t, dir, maps.Clone(w))
					check(t, db.Close())
					readTables(t, dir, c, w)
				})
			}
		}
	}
}

func readLogs(t *testing.T, dir string, w written) {
	t.Helper()
	for key := range w {
		w[key] = slices.Clone(w[key])
	}
	logs, gap, err := ReadLogs(dir, 0, nil)
	if err != nil || gap != 0 || len(logs) != 1 || logs[0].First != 1 || logs[0].Last != 5 {
		t.Fatalf("ReadLogs = %+v, %d, %v; want one of versions 1 to 5", logs, gap, err)
	}
	check(t, logs[0].Entries(dir, func(e Entry) error {
		w.take(t, e)
		return nil
	}))
	if len(w) > 0 {
		t.Errorf("%d keys are not in the log", len(w))
	}
}

func readTables(t *testing.T, dir string, c options.CompressionType, w written) {
	t.Helper()
	m, err := ReadManifest(dir, magic)
	check(t, err)
	if len(m.Tables) == 0 {
		t.Fatal("no tables")
	}
	var r TableReader
	for _, table := range m.Tables {
		if table.Compression != c {
			t.Errorf("compression %d, want %d", table.Compression, c)
		}
		check(t, r.Whole(table))
		if version, err := r.Version(table); err != nil || version != 5 {
			t.Errorf("the newest version is %d, %v; want 5", version, err)
		}
		check(t, r.Entries(table, func(e Entry) error {
			w.take(t, e)
			return nil
		}))
	}
	if len(w) > 0 {
		t.Errorf("%d keys are not in the tables", len(w))
	}
}

// message returns a protocol buffer of numbers, which leaves out zeros.
func message(fields ...uint64) (b []byte) {
	for i, v := range fields {
		if v != 0 {
			b = binary.AppendUvarint(append(b, byte(i+1)<<3), v)
		}
	}
	return b
}

// What another release may write is told apart from damage.
func TestVerify(t *testing.T) {
	data := []byte("some data")
	crc := uint64(crc32.Checksum(data, castagnoli))
	sum := func(algorithm, sum uint64) []byte { return message(algorithm, sum) }
	for _, test := range []struct {
		name string
		sum  []byte
		want error // nil, ErrUnknown, or ErrDamaged for any other
	}{
		{"right", sum(0, crc), nil},
		{"wrong", sum(0, crc+1), ErrDamaged},
		{"empty", nil, ErrDamaged},
		{"another algorithm", sum(1, crc), ErrUnknown},
		{"an algorithm to come", sum(7, crc), ErrUnknown},
		{"another algorithm without a sum", sum(7, 0), ErrDamaged},
		{"another algorithm and more", append(sum(7, crc), 0), ErrDamaged},
		{"another algorithm, cut short", sum(7, 1<<40)[:5], ErrDamaged},
		{"another field", append([]byte{3 << 3, 1}, sum(0, crc)...), ErrDamaged},
	} {
		err := verify(data, test.sum)
		switch {
		case test.want == ErrDamaged && (err == nil || errors.Is(err, ErrUnknown)),
			test.want == ErrUnknown && !errors.Is(err, ErrUnknown),
			test.want == nil && err != nil:
			t.Errorf("%s: verify = %v, want %v", test.name, err, test.want)
		}
	}
	if err := verify(nil, nil); err != nil {
		t.Errorf("the sum 0 of nothing: %v", err)
	}
}

func TestUnknownFormats(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, badger.ManifestFilename)
	manifest := func(version uint16, change []byte) {
		b := append([]byte{1<<3 | 2, byte(len(change))}, change...)
		head := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte("Bdgr"), magic), version)
		head = binary.BigEndian.AppendUint32(head, uint32(len(b)))
		head = binary.BigEndian.AppendUint32(head, crc32.Checksum(b, y.CastagnoliCrcTable))
		check(t, os.WriteFile(path, append(head, b...), 0o600))
	}
	for _, test := range []struct {
		name    string
		version uint16
		change  []byte // id, operation, level, key, algorithm, compression
		want    error
	}{
		{"known", 8, message(1, 0, 0, 0, 0, 2), nil},
		{"a newer manifest", 9, message(1), ErrUnknown},
		{"another compression", 8, message(1, 0, 0, 0, 0, 3), ErrUnknown},
		{"encrypted", 8, message(1, 0, 0, 1), ErrUnknown},
		{"a deep level", 8, message(1, 0, 7), ErrUnknown},
		{"another operation", 8, message(1, 2), ErrUnknown},
	} {
		manifest(test.version, test.change)
		m, err := ReadManifest(dir, magic)
		if !errors.Is(err, test.want) || errors.Is(err, ErrDamaged) || err == nil && len(m.Tables) != 1 {
			t.Errorf("%s: ReadManifest = %v, %v; want %v", test.name, m, err, test.want)
		}
	}
	manifest(8, message(1))
	data, err := os.ReadFile(path)
	check(t, err)
	for _, test := range []struct {
		name string
		at   int
		want error
	}{
		{"no magic number", 0, ErrForeign},
		{"another program's", 5, ErrForeign},
		{"another byte", len(data) - 1, ErrDamaged},
	} {
		damaged := bytes.Clone(data)
		damaged[test.at] ^= 0x55
		check(t, os.WriteFile(path, damaged, 0o600))
		if _, err := ReadManifest(dir, magic); !errors.Is(err, test.want) {
			t.Errorf("%s: ReadManifest = %v, want %v", test.name, err, test.want)
		}
	}
	if _, err := new(TableReader).readBlock(bytes.NewReader(make([]byte, 10)), 3, 0, 10); !errors.Is(err, ErrUnknown) {
		t.Errorf("a block of another compression: %v, want ErrUnknown", err)
	}
}

// Whatever byte of a table is another one, reading it all finds that out, or
// finds what was there: compression has more than one form of some data.
func TestFlippedTable(t *testing.T) {
	table := writeTable(t, 30)
	data, err := os.ReadFile(table.Path)
	check(t, err)
	want, err := digest(table)
	check(t, err)
	equal, step := 0, 1
	if testing.Short() {
		step = 5
	}
	for at := rand.IntN(step); at < len(data); at += step {
		damaged := bytes.Clone(data)
		damaged[at] ^= 1 << (at % 8)
		check(t, os.WriteFile(table.Path, damaged, 0o600))
		got, err := digest(table)
		switch {
		case err == nil && got == want:
			equal++
		case !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrUnknown):
			t.Errorf("byte %d of %d: %v", at, len(data), err)
		}
	}
	if equal > len(data)/step/50+step {
		t.Errorf("%d bytes of %d do not matter", equal, len(data))
	}
}

// digest returns all entries of a table.
func digest(table Table) (string, error) {
	var r TableReader
	var b bytes.Buffer
	err := r.Entries(table, func(e Entry) error {
		fmt.Fprintf(&b, "%s %d %t %d %x\n", e.Key, e.Version, e.Deleted, e.User, e.Value)
		return nil
	})
	return b.String(), err
}

// TestLogsAfterDroppedVersions: the versions before the first log are missing
// for good only where no stamp says that compactions may have dropped them.
func TestLogsAfterDroppedVersions(t *testing.T) {
	stamp := []byte("stamp")
	for _, c := range []struct {
		name  string
		known uint64
		stamp uint64 // the version with the stamp; 0 for none
		gap   uint64
	}{
		{"nothing is missing", 4, 0, 0},
		{"a version is missing", 3, 0, 4},
		{"it may have been dropped", 3, 5, 0},
		{"so may several, by a later stamp", 1, 7, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := badger.OpenManaged(badger.DefaultOptions(dir).WithLogger(nil).WithMemTableSize(8 << 20).WithExternalMagic(magic))
			check(t, err)
			for version := uint64(5); version <= 8; version++ {
				txn := db.NewTransactionAt(version, true)
				check(t, txn.Set([]byte("key"), []byte{byte(version)}))
				if version == c.stamp {
					check(t, txn.Set(stamp, nil))
				}
				check(t, txn.CommitAt(version, nil))
			}
			logs, gap, err := ReadLogs(dir, c.known, stamp)
			if err != nil || gap != c.gap {
				t.Errorf("ReadLogs = %+v, %d, %v; want the gap %d", logs, gap, err, c.gap)
			}
			if want := 1 - min(int(c.gap), 1); len(logs) != want {
				t.Errorf("%d logs are whole, want %d", len(logs), want)
			}
			check(t, db.Close())
		})
	}
}
