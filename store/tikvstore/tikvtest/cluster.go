package tikvtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Programs are the paths of a cluster's servers.
type Programs struct{ PD, TiKV string }

// Build builds the servers from the modules of a folder, which is this package's. That
// takes minutes the first time, and seconds after that.
func Build(folder string) (*Programs, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	p := &Programs{PD: filepath.Join(cache, "kivis-tikvtest", "pd-server"), TiKV: filepath.Join(cache, "kivis-tikvtest", "tikvserver")}
	for _, b := range []struct {
		dir  string
		args []string
	}{
		{filepath.Join(folder, "pd"), []string{"-tags", "without_dashboard", "-o", p.PD, "github.com/tikv/pd/cmd/pd-server"}},
		{folder, []string{"-o", p.TiKV, "./tikvserver"}},
	} {
		cmd := exec.Command("go", append([]string{"build"}, b.args...)...)
		cmd.Dir = b.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("the servers are not there, and building them fails: (cd %s && go build %v): %w\n%s", b.dir, b.args, err, out)
		}
	}
	return p, nil
}

// Cluster is a cluster of processes: a PD and a server.
type Cluster struct {
	programs *Programs
	dir      string
	pd, addr string // where they listen
	pdCmd    *exec.Cmd
	tikvCmd  *exec.Cmd
}

// Start starts a cluster in a new directory.
func Start(p *Programs) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "kivis-tikv")
	if err != nil {
		return nil, err
	}
	c := &Cluster{programs: p, dir: dir}
	ports, err := freePorts(3)
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	c.pd, c.addr = ports[0], ports[1]
	if err := c.runPD(ports[2]); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	if err := c.Run(); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// freePorts returns addresses at which nobody listens.
func freePorts(n int) (list []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		list = append(list, l.Addr().String())
	}
	return list, nil
}

// startWithin is how long a server may take to answer.
const startWithin = time.Minute

func (c *Cluster) runPD(peer string) error {
	cmd := exec.Command(c.programs.PD, "--name", "pd", "--data-dir", filepath.Join(c.dir, "pd"),
		"--client-urls", "http://"+c.pd, "--peer-urls", "http://"+peer, "--log-file", filepath.Join(c.dir, "pd.log"))
	cmd.Env = append(os.Environ(), "GODEBUG=httpmuxgo121=1") // its etcd registers a path that Go no longer takes
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if err := cmd.Start(); err != nil {
		return err
	}
	c.pdCmd = cmd
	for until := time.Now().Add(startWithin); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + c.pd + "/pd/api/v1/health")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return errors.New("PD does not answer")
}

// Run starts the server, which is not running, and waits until it answers.
func (c *Cluster) Run() error {
	c.tikvCmd = exec.Command(c.programs.TiKV, "-pd", c.pd, "-addr", c.addr, "-dir", filepath.Join(c.dir, "tikv"))
	c.tikvCmd.Stdout, c.tikvCmd.Stderr = io.Discard, io.Discard
	if err := c.tikvCmd.Start(); err != nil {
		return err
	}
	for until := time.Now().Add(startWithin); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", c.addr); err == nil {
			return conn.Close()
		}
	}
	return errors.New("the server does not answer")
}

// URL returns the URL of a store in the cluster.
func (c *Cluster) URL(name string) string { return "tikv://" + c.pd + "/" + name }

// Addr returns where the server listens.
func (c *Cluster) Addr() string { return c.addr }

// Kill ends the server without notice. PD stays.
func (c *Cluster) Kill() error { return end(&c.tikvCmd, syscall.SIGKILL) }

// Signal sends the server a signal.
func (c *Cluster) Signal(sig os.Signal) error { return c.tikvCmd.Process.Signal(sig) }

// end ends a process, if it is running, and waits for it.
func end(cmd **exec.Cmd, sig syscall.Signal) error {
	if *cmd == nil || (*cmd).Process == nil {
		return nil
	}
	err := (*cmd).Process.Signal(sig)
	(*cmd).Wait()
	*cmd = nil
	return err
}

// Stop ends the cluster and removes its directory.
func (c *Cluster) Stop() error {
	return errors.Join(end(&c.tikvCmd, syscall.SIGKILL), end(&c.pdCmd, syscall.SIGKILL), os.RemoveAll(c.dir))
}
