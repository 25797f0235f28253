package walfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
)

const (
	testPage = 512
	mark     = 2 // the page that each transaction writes
)

// logOf returns a log of transactions, each of the pages that it writes.
func logOf(order binary.ByteOrder, txs ...[]uint32) []byte {
	var m uint32 = magic
	if order == binary.BigEndian {
		m |= 1
	}
	b := make([]byte, HeaderSize)
	for i, n := range []uint32{m, version, testPage, 1, 0x1234, 0x5678} {
		binary.BigEndian.PutUint32(b[4*i:], n)
	}
	sum := Sum(order, [2]uint32{}, b[:24])
	putSum(b[24:], sum)
	for i, pages := range txs {
		for j, page := range pages {
			f := make([]byte, FrameSize+testPage)
			binary.BigEndian.PutUint32(f, page)
			if j == len(pages)-1 {
				binary.BigEndian.PutUint32(f[4:], uint32(10+i))
			}
			copy(f[8:16], b[16:24])
			for k := range testPage {
				f[FrameSize+k] = byte(i + j + k)
			}
			sum = FrameSum(order, sum, f, f[FrameSize:])
			putSum(f[16:], sum)
			b = append(b, f...)
		}
	}
	return b
}

func putSum(b []byte, sum [2]uint32) {
	binary.BigEndian.PutUint32(b, sum[0])
	binary.BigEndian.PutUint32(b[4:], sum[1])
}

func read(b []byte) (Log, error) { return Read(bytes.NewReader(b), int64(len(b)), testPage, mark) }

func frameStart(i int) int { return HeaderSize + i*(FrameSize+testPage) }

func TestRead(t *testing.T) {
	txs := [][]uint32{{2, 3, 4}, {2, 5}, {2, 3}}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		whole := logOf(order, txs...)
		for _, test := range []struct {
			name  string
			make  func(b []byte) []byte
			pages uint32 // after the last commit that is read
			lost  bool
			err   error
		}{
			{"whole", func(b []byte) []byte { return b }, 12, false, nil},
			{"none", func([]byte) []byte { return nil }, 0, false, ErrNone},
			{"zeros", func(b []byte) []byte { return make([]byte, len(b)) }, 0, false, ErrNone},
			{"header alone", func(b []byte) []byte { return b[:HeaderSize] }, 0, false, nil},
			{"cut in the last transaction", func(b []byte) []byte { return b[:frameStart(6)+9] }, 11, true, nil},
			{"header damaged", func(b []byte) []byte { b[17] ^= 1; return b }, 0, false, ErrDamaged},
			{"last frame damaged", func(b []byte) []byte { b[frameStart(6)+100] ^= 1; return b }, 11, true, nil},
			{"frame of the last transaction damaged", func(b []byte) []byte { b[frameStart(5)+100] ^= 1; return b }, 11, true, nil},
			{"frame of an earlier one damaged", func(b []byte) []byte { b[frameStart(3)+100] ^= 1; return b }, 10, true, ErrDamaged},
			{"first frame damaged", func(b []byte) []byte { b[frameStart(0)+100] ^= 1; return b }, 0, true, ErrDamaged},
			{"end of an earlier one not marked", func(b []byte) []byte { b[frameStart(4)+7] = 0; return b }, 10, true, ErrDamaged},
			{"salt of an earlier end", func(b []byte) []byte { b[frameStart(4)+8] ^= 1; return b }, 10, true, ErrDamaged},
			{"salt of an earlier mark", func(b []byte) []byte { b[frameStart(3)+8] ^= 1; return b }, 10, true, ErrDamaged},
			{"frames of an earlier log", func(b []byte) []byte {
				old := logOf(order, txs...)
				for i := range 7 {
					old[frameStart(i)+8] ^= 0xff
				}
				return append(b, old[HeaderSize:]...)
			}, 12, false, nil},
		} {
			t.Run(test.name, func(t *testing.T) {
				log, err := read(test.make(bytes.Clone(whole)))
				if !errors.Is(err, test.err) || log.Pages != test.pages || log.Lost != test.lost {
					t.Errorf("Read = %d pages, lost %t, %v; want %d, %t, %v", log.Pages, log.Lost, err, test.pages, test.lost, test.err)
				}
			})
		}
		log, err := read(whole)
		if err != nil || log.Frames[3] != int64(frameStart(6)+FrameSize) || log.Frames[4] != int64(frameStart(2)+FrameSize) {
			t.Errorf("Frames = %v, %v, want the newest of each page", log.Frames, err)
		}
	}
}

// FuzzRead: whatever is in a file, it is read, or refused.
func FuzzRead(f *testing.F) {
	f.Add(logOf(binary.LittleEndian, []uint32{2, 3}, []uint32{2}))
	f.Add(make([]byte, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		log, err := read(b)
		if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNone) {
			t.Fatal(err)
		}
		for page, at := range log.Frames {
			if at+testPage > int64(len(b)) {
				t.Errorf("page %d is at %d of %d bytes", page, at, len(b))
			}
		}
	})
}

// short is a file that says to be longer than it is.
type short struct{ io.ReaderAt }

func (short) ReadAt([]byte, int64) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestReadError(t *testing.T) {
	if _, err := Read(short{}, 100, testPage, mark); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Read = %v, want the error of the file", err)
	}
}
