package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// spareFiles are open files of the process beside its connections, as in limits.py.
const spareFiles = 64

const connectTimeout, answerTimeout = 10 * time.Second, 20 * time.Second

// work is the jobs of one configuration, and what became of them. They are joined with a WaitGroup,
// as in the study: Add(1) before each submit, Done() at the end of the job, then Wait().
type work struct {
	jobs   int
	client *http.Client
	places chan struct{} // for the connections, where there are fewer than jobs at once; else nil
	route  string
	group  sync.WaitGroup

	submitted    int // by the one goroutine that submits
	done, failed atomic.Int64
	lock         sync.Mutex // of the two below: jobs fail in many goroutines
	reasons      map[string]int
	notes        []string
}

// newWork makes a client that keeps a connection for each job that runs at once, or as many as there
// are files for; a job that finds none free waits for one. All else is as net/http has it.
func newWork(chosen configuration) *work {
	made := &work{jobs: chosen.Jobs, reasons: map[string]int{}, notes: []string{}}
	connections := chosen.mostAtOnce()
	if limit, most := openFiles(); connections > most {
		connections = most
		made.places = make(chan struct{}, most)
		made.notes = append(made.notes, fmt.Sprintf(
			"the limit of %d open files allows %d connections at once; they are shared, and a job that finds none free waits",
			limit, most,
		))
	}
	made.route = fmt.Sprintf("http://%s:%d/two/", host, chosen.Port)
	made.client = &http.Client{
		Timeout: time.Duration(chosen.Delay*float64(time.Second)) + answerTimeout,
		Transport: &http.Transport{ // without a proxy: the server is here
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			DisableCompression:  true, // no other client asks for it
			MaxConnsPerHost:     connections,
			MaxIdleConnsPerHost: connections,
		},
	}
	return made
}

// openFiles is the limit of open files, and how many of them can be connections.
func openFiles() (limit, most int) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		panic(err)
	}
	limit = int(min(files.Cur, 1<<30))
	return limit, max(1, limit-spareFiles)
}

// job makes one request. Whatever happens, it is done, and a failure is written down.
func (w *work) job(number int) {
	defer w.group.Done()
	if err := w.fetch(number); err != nil {
		w.fail(err, 1)
	}
	w.done.Add(1)
}

// fetch reads the whole answer; one that has not status 200 is an error.
func (w *work) fetch(number int) error {
	if w.places != nil { // waits here: the client's timeout is for the answer
		w.places <- struct{}{}
		defer func() { <-w.places }()
	}
	response, err := w.client.Get(w.route + strconv.Itoa(number))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

// submit hands jobs over, one after the other; a job that is refused is done, and has failed.
func (w *work) submit(from, to int, handOver func(number int) error) {
	for number := from; number < to; number++ {
		w.group.Add(1)
		w.submitted++
		if err := handOver(number); err != nil {
			w.fail(err, 1)
			w.done.Add(1)
			w.group.Done()
		}
	}
}

// failRest tells of jobs that were never submitted, because of this.
func (w *work) failRest(err error) {
	if rest := w.jobs - w.submitted; err != nil && rest > 0 {
		w.fail(err, rest)
	}
}

func (w *work) fail(err error, jobs int) {
	why := reason(err)
	w.failed.Add(int64(jobs))
	w.lock.Lock()
	defer w.lock.Unlock()
	w.reasons[why] += jobs
}

func (w *work) note(text string) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.notes = append(w.notes, text)
}

// reason is an error without anything that differs from job to job, such as a port.
func reason(err error) string {
	var timeout net.Error
	var number syscall.Errno
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, io.EOF):
		return "connection closed without an answer"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}
