package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"math"
	"strings"
	"testing"
)

func TestEnvelope(t *testing.T) {
	key, body := []byte{0x81}, []byte{0x01, 0xa1, 0x61}
	for _, tt := range []struct {
		version uint32
		table   uint32
		want    string
	}{
		{1, 0x01020304, "010101a161"},
		{300, 0xff, "01ac0201a161"},
		{math.MaxUint32, 0x100, "01ffffffff0f01a161"},
	} {
		value := append(AppendHeader([]byte("before"), tt.version), body...)
		value = Seal(value, len("before"), tt.table, key)
		value = bytes.TrimPrefix(value, []byte("before"))
		head, _ := hex.DecodeString(tt.want)
		sum := crc32.Checksum(append(append(binary.BigEndian.AppendUint32(nil, tt.table), 0x81), head...), crc32.MakeTable(crc32.Castagnoli))
		want := append(head, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
		if !bytes.Equal(value, want) {
			t.Errorf("version %d: value %x, want %x", tt.version, value, want)
		}
		version, got, err := Open(value, tt.table, key)
		if version != tt.version || !bytes.Equal(got, body) || cap(got) != len(got) || err != nil {
			t.Errorf("Open = %d, %x, %v, want %d, %x", version, got, err, tt.version, body)
		}
	}
}

func TestEnvelopeCorrupt(t *testing.T) {
	key := []byte("key")
	good := Seal(append(AppendHeader(nil, 300), 1, 2, 3), 0, 7, key)
	for bit := range 8 * len(good) {
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, _, err := Open(bad, 7, key); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Open with bit %d inverted = %v, want ErrCorrupt", bit, err)
		}
	}
	for n := range good {
		if _, _, err := Open(good[:n], 7, key); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Open of %d bytes = %v, want ErrCorrupt", n, err)
		}
	}
	for name, err := range map[string]error{
		"another table":  openError(good, 8, key),
		"another key":    openError(good, 7, []byte("kez")),
		"another format": openError(Seal([]byte{2, 1, 1}, 0, 7, key), 7, key),
		"no version":     openError(Seal([]byte{1, 0x80}, 0, 7, key), 7, key),
		"long version":   openError(Seal([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x1f}, 0, 7, key), 7, key),
	} {
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: Open = %v, want ErrCorrupt", name, err)
		}
	}
	if err := openError(Seal([]byte{2, 1, 1}, 0, 7, key), 7, key); !strings.Contains(err.Error(), "record format 2 is not known") {
		t.Errorf("Open of another format = %v", err)
	}
}

func TestEntryEnvelope(t *testing.T) {
	key, value := []byte{0x81, 0x82, 'a', 0, 1}, []byte{0x85}
	sealed := SealEntry([]byte("before"), key, value)
	sealed = bytes.TrimPrefix(sealed, []byte("before"))
	sum := crc32.Checksum(append(bytes.Clone(key), value...), crc32.MakeTable(crc32.Castagnoli))
	if want := []byte{0x85, byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}; !bytes.Equal(sealed, want) {
		t.Errorf("SealEntry = %x, want %x", sealed, want)
	}
	got, err := OpenEntry(sealed, key)
	if err != nil || !bytes.Equal(got, value) || cap(got) != len(got) {
		t.Errorf("OpenEntry = %x with room for %d, %v", got, cap(got), err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := OpenEntry(bad, key); !errors.Is(err, ErrCorrupt) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
		if _, err := OpenEntry(sealed[:i], key); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut to %d: %v", i, err)
		}
	}
	if _, err := OpenEntry(sealed, key[:4]); !errors.Is(err, ErrCorrupt) {
		t.Errorf("under another key: %v", err)
	}
}

func openError(value []byte, table uint32, key []byte) error {
	_, _, err := Open(value, table, key)
	return err
}
