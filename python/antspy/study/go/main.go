// Command study runs one configuration of the study with ants, in a process of its own, as
// measurement.py does with antspy: `study CONFIGURATION`.
//
// It tells its progress ten times a second and its result at the end, one JSON object a line, then
// releases its pool and ends. It ends at once when its standard input does: then its parent is gone.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

const reportInterval = 100 * time.Millisecond

// progress is what the bar on the terminal shows.
type progress struct {
	Done    int64 `json:"done"`
	Failed  int64 `json:"failed"`
	Running *int  `json:"running"`
	Free    *int  `json:"free"`
	Waiting *int  `json:"waiting"`
}

// last is the last line: the result, and the client with its version.
type last struct {
	Result result `json:"result"`
	Client string `json:"client"`
}

func main() {
	go followParent()
	chosen, err := parse(os.Args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	measured := newMeasurement(chosen)
	finished, reported := make(chan struct{}), make(chan struct{})
	go func() {
		measured.report(finished)
		close(reported)
	}()
	outcome := measured.run()
	close(finished)
	<-reported
	say(last{outcome, version()})
	measured.release()
}

// followParent ends this process, at once and whatever it is doing, when the parent is gone.
func followParent() {
	io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}

func (m *measurement) report(finished <-chan struct{}) {
	ticker := time.NewTicker(reportInterval)
	defer ticker.Stop()
	for {
		select {
		case <-finished:
			return
		case <-ticker.C:
			said := progress{Done: m.work.done.Load(), Failed: m.work.failed.Load()}
			if pool := m.pool.Load(); pool != nil {
				said.Running, said.Free, said.Waiting = number((*pool).Running()), number((*pool).Free()), number((*pool).Waiting())
			}
			say(said)
		}
	}
}

// say writes one line, in one write.
func say(message any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(append(line, '\n'))
}

// version names what was built in: the HTTP client and the pool.
func version() string {
	ants := "ants"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if strings.HasPrefix(module.Path, "github.com/panjf2000/ants/") {
				ants = "ants " + strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return fmt.Sprintf("net/http of %s, %s", runtime.Version(), ants)
}

func number(value int) *int { return &value }
