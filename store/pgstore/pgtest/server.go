// Package pgtest starts a PostgreSQL server for tests, from the package of the
// distribution.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing says that there is no PostgreSQL, and how to get it.
var ErrMissing = errors.New("PostgreSQL is not installed; on Debian and Ubuntu: apt-get install postgresql")

// Server is a server in a directory of its own.
type Server struct {
	dir string // of data and of the socket
	bin string
	cmd *exec.Cmd
}

// Start makes a server in a new directory and starts it.
func Start() (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "kivis-pg")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin}
	if err := s.init(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// binaries returns the folder of the newest release.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		return filepath.Dir(path), err
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", ErrMissing
	}
	slices.SortFunc(found, func(a, b string) int { return release(a) - release(b) })
	return filepath.Dir(found[len(found)-1]), nil
}

// release returns the number in the path of a release's initdb.
func release(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// own gives the directory to the account that the server runs as.
func (s *Server) own() error {
	attr := account()
	if attr == nil {
		return nil
	}
	return os.Chown(s.dir, int(attr.Credential.Uid), int(attr.Credential.Gid))
}

func (s *Server) init() error {
	if err := s.own(); err != nil {
		return err
	}
	out, err := s.command("initdb", "-D", s.data(), "-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s.Run()
}

// account returns the account that the server runs as: it refuses to be root.
func account() *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		}
	}
	return nil
}

// Standby makes a server that follows s, and answers what only reads, and starts it.
func (s *Server) Standby() (*Server, error) {
	dir, err := os.MkdirTemp("", "kivis-pg")
	if err != nil {
		return nil, err
	}
	f := &Server{dir: dir, bin: s.bin}
	if err := f.follow(s); err != nil {
		return nil, errors.Join(err, f.Stop())
	}
	return f, nil
}

func (s *Server) follow(primary *Server) error {
	if err := s.own(); err != nil {
		return err
	}
	out, err := s.command("pg_basebackup", "-D", s.data(), "-h", primary.dir, "-U", "test", "-R", "-c", "fast", "-X", "stream", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("pg_basebackup: %w: %s", err, out)
	}
	return s.Run()
}

// data returns the directory of the data.
func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = account()
	cmd.WaitDelay = time.Second
	return cmd
}

// Run starts the server, which is not running, and waits until it answers.
func (s *Server) Run() error {
	s.cmd = s.command("postgres", "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-F")
	s.cmd.Stdout, s.cmd.Stderr = io.Discard, io.Discard
	if err := s.cmd.Start(); err != nil {
		return err
	}
	var err error
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if err = s.answers(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the server does not answer: %w", err)
}

func (s *Server) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL(""))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// URL returns the URL of a store in the server.
func (s *Server) URL(name string) string {
	url := "postgres://test@/postgres?host=" + s.dir
	if name != "" {
		url += "&kivis_db=" + name
	}
	return url
}

// Dir returns the directory of the server's socket.
func (s *Server) Dir() string { return s.dir }

// Promote ends the following of a standby, which then answers writes, too.
func (s *Server) Promote() error {
	if out, err := s.command("pg_ctl", "promote", "-w", "-D", s.data()).CombinedOutput(); err != nil {
		return fmt.Errorf("pg_ctl promote: %w: %s", err, out)
	}
	return nil
}

// Kill ends the server without notice.
func (s *Server) Kill() error { return s.end(syscall.SIGQUIT) }

func (s *Server) end(sig syscall.Signal) error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	err := s.cmd.Process.Signal(sig)
	s.cmd.Wait()
	s.cmd = nil
	return err
}

// Stop ends the server and removes its directory.
func (s *Server) Stop() error {
	return errors.Join(s.end(syscall.SIGINT), os.RemoveAll(s.dir))
}
