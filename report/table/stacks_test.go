package table_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/slicetrace/slicetrace/report/reporttest"
)

// Every row says all of one sum, and stacks are folded with the outermost function first.
func TestValuesOfStacks(t *testing.T) {
	r := reporttest.Stacks()
	started := func(trial int) string { return strconv.FormatInt(*r.Trials[trial].StartedNS, 10) }
	const user = "PostgresMain;index_getnext;ReadBuffer_common;mdreadv;FileReadV;pread64;"
	for _, c := range []tableRow{
		{"stacks", 1, map[string]string{
			"trial": "1", "load": "", "mode": "system", "round": "1", "pid": "1000", "process": "postgres",
			"comm": "postgres", "uid": "0", "group_id": "38", "group_name": "db0.service", "state": "D",
			"iowait": "true", "waker_pid": "", "waker": "", "waker_interrupt": "true", "samples": "96",
			"times": "96.000000", "blocked_ns": "388000000", "wait_ns": "2000000", "throttled_ns": "0",
			"longest_ns": "31000000",
			"stack": user + "entry_SYSCALL_64_after_hwframe;do_syscall_64;ksys_pread64;vfs_read;" +
				"ext4_file_read_iter;filemap_read;folio_wait_bit_common;io_schedule;schedule",
			"waker_stack": "asm_sysvec_apic_timer_interrupt;hrtimer_interrupt;__hrtimer_run_queues;hrtimer_wakeup",
			"started_ns":  started(0), "workload": "", "variant": "",
		}},
	} {
		checkWholeRow(t, r, c)
	}
	for _, c := range []tableRow{
		{"stacks", 3, map[string]string{
			"uid": "1000", "waker_pid": "1009", "waker": "kworker/1:2", "waker_interrupt": "false",
			"times": "124.500000", "waker_stack": "",
		}},
		{"stacks", 4, map[string]string{
			"state": "R", "waker_pid": "", "waker": "", "waker_interrupt": "", "throttled_ns": "60000000",
			"group_name": "", "stack": "0x55d0c0de2040 in agent;0x55d0c0de1000 in agent;" +
				"asm_sysvec_apic_timer_interrupt;irqentry_exit;exit_to_user_mode_loop",
		}},
		{"stacks", 5, map[string]string{"trial": "2", "pid": "1020", "waker": "nginx", "started_ns": started(1)}},
	} {
		checkRow(t, r, c)
	}
}

func TestValuesOfPairs(t *testing.T) {
	r := reporttest.Stacks()
	checkWholeRow(t, r, tableRow{"pairs", 3, map[string]string{
		"trial": "1", "load": "", "mode": "system", "round": "1", "kind": "woken", "pid": "1000", "process": "postgres",
		"comm": "postgres", "uid": "0", "group_id": "38", "group_name": "db0.service", "by_pid": "1003",
		"by_process": "nginx", "by": "nginx", "by_uid": "33", "by_group_id": "75", "by_group_name": "4f1d9a3c51e7",
		"by_interrupt": "false", "relation": "other", "count": "700", "wait_ns": "7000000",
		"started_ns": strconv.FormatInt(*r.Trials[0].StartedNS, 10), "workload": "", "variant": "",
	}})
	for _, c := range []tableRow{
		{"pairs", 0, map[string]string{"kind": "taken", "comm": "agent", "by": "sampler", "relation": "self"}},
		{"pairs", 4, map[string]string{"by": "kworker/1:2", "relation": "kernel"}},
		{"pairs", 6, map[string]string{"by_pid": "", "by": "", "by_interrupt": "true", "relation": ""}},
		{"pairs", 8, map[string]string{"pid": "", "comm": "", "by_pid": "", "by_interrupt": "false"}},
		{"pairs", 9, map[string]string{"trial": "2", "count": "1800"}},
	} {
		checkRow(t, r, c)
	}
}

// Names cannot add functions to a folded stack, or end its line.
func TestFoldedStacksKeepHostileNamesApart(t *testing.T) {
	plain, hostile := reporttest.Stacks(), reporttest.HostileStacks()
	for i := range plain.Stacks {
		got := hostile.Folded(i)
		if n := strings.Count(got, ";"); n != len(plain.Stacks[i])-1 || strings.ContainsAny(got, "\n\r\t\x1b\x00") {
			t.Errorf("stack %d of %d functions is %q", i, len(plain.Stacks[i]), got)
		}
	}
	if hostile.Folded(-1) != "" || hostile.Folded(len(hostile.Stacks)) != "" {
		t.Error("a stack that does not exist has functions")
	}
}
