package main

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

const megabyte = 1024 * 1024

const releaseTimeout = time.Minute

// result has the fields of result.py, so that both are one kind of row.
type result struct {
	Name      string         `json:"name"`
	Jobs      int            `json:"jobs"`
	Failed    int64          `json:"failed"`
	ElapsedMs float64        `json:"elapsed_ms"`
	PeakRSS   float64        `json:"peak_rss_mb"`
	Capacity  *int           `json:"capacity"`
	Running   *int           `json:"running"`
	Free      *int           `json:"free"`
	Reasons   map[string]int `json:"reasons"`
	Notes     []string       `json:"notes"`
	StartRSS  float64        `json:"start_rss_mb"`
	CPU       float64        `json:"cpu_s"`
}

// measurement is one configuration while it runs.
type measurement struct {
	chosen configuration
	work   *work
	pool   atomic.Pointer[pool] // set once by run, read by report; nil without a pool
}

func newMeasurement(chosen configuration) *measurement {
	return &measurement{chosen: chosen, work: newWork(chosen)}
}

// run measures from before the pool is made until the last job is done.
func (m *measurement) run() result {
	startRSS, startCPU, start := peakRSS(), cpuSeconds(), time.Now()
	failure := m.handOut()
	m.work.group.Wait()
	elapsed, cpu := time.Since(start), cpuSeconds()-startCPU
	m.work.failRest(failure)
	measured := result{
		Name:      m.chosen.Name,
		Jobs:      m.chosen.Jobs,
		Failed:    m.work.failed.Load(),
		ElapsedMs: rounded(elapsed.Seconds()*1000, 1),
		PeakRSS:   peakRSS(),
		Reasons:   m.work.reasons,
		Notes:     m.work.notes,
		StartRSS:  startRSS,
		CPU:       rounded(cpu, 3),
	}
	if pool := m.pool.Load(); pool != nil {
		measured.Capacity, measured.Running, measured.Free = number((*pool).Cap()), number((*pool).Running()), number((*pool).Free())
	}
	return measured
}

func (m *measurement) release() {
	if pool := m.pool.Load(); pool != nil {
		if err := (*pool).ReleaseTimeout(releaseTimeout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

var highWaterMark = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peakRSS of this process so far, in MB: by /proc, else by getrusage, as result.py has it.
func peakRSS() float64 {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		if found := highWaterMark.FindSubmatch(status); found != nil {
			kilobytes, _ := strconv.ParseFloat(string(found[1]), 64)
			return rounded(kilobytes*1024/megabyte, 1)
		}
	}
	size := float64(usage().Maxrss)
	if runtime.GOOS != "darwin" { // which counts bytes
		size *= 1024
	}
	return rounded(size/megabyte, 1)
}

func cpuSeconds() float64 {
	used := usage()
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

func usage() syscall.Rusage {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return used
}

func rounded(value float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(value*scale) / scale
}
