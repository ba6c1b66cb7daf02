package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
)

// jobs asks the study's server, over one connection for each worker.
func jobs(w work) float64 {
	transport := &http.Transport{MaxIdleConnsPerHost: w.capacity}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var number atomic.Int64
	return run(w, func() {
		response, err := client.Get(w.url + strconv.FormatInt(number.Add(1), 10))
		check(err)
		_, err = io.Copy(io.Discard, response.Body)
		check(err)
		check(response.Body.Close())
		if response.StatusCode != http.StatusOK {
			fail(fmt.Errorf("status %d", response.StatusCode))
		}
	})
}
