package reporttest

// Tiny returns small reports as JSON that contain every kind of part. A fuzzer can change them
// quickly.
func Tiny() []string {
	const histogram = `{"count":3,"sum_ns":30,"max_ns":17,"index":[5,8,16],"counts":[1,1,1]}`
	const core = `{"cpu":1,"wall_ns":100,"idle_ns":60,"workers_ns":30,"others_ns":9,"self_ns":1,"steal_ns":0,` +
		`"ticks":4,"classes":[{"class":"thread","switches":3,"pick":` + histogram + `,"switch":` + histogram +
		`,"cost":` + histogram + `}],"slices":[{"ended_by":"tick","length":` + histogram + `}],` +
		`"wait":` + histogram + `}`
	const worker = `{"index":0,"pid":7,"tid":8,"comm":"=\u001b\u202e","slices":3,"ended_by":{"tick":3},` +
		`"voluntary":1,"kernel":{"voluntary":1,"involuntary":2,"runtime_ns":-1},` +
		`"on_cpu_ns":30,"wait_ns":5,"wait_max_ns":4}`
	const created = `{"tasks":3,"reconciled":2,"on_cpu_ns":9,"wait_ns":8,"start":` + histogram +
		`,"run":` + histogram + `,"end":` + histogram + `}`
	trial := func(mode string) string {
		return `{"workload":"w","mode":"` + mode + `","round":1,"duration_ns":100,"operations":23,` +
			`"cores":[` + core + `],"workers":[` + worker + `],"created":` + created + `}`
	}
	const did = `"on_cpu_ns":30,"wait_ns":5,"throttled_ns":1,"ended_by":{"tick":3,"throttled":1},` +
		`"migrations":{"cache":2,"woken":1},"waits":` + histogram + `,"slices":` + histogram
	const system = `{"workload":"","mode":"system","round":1,"duration_ns":100,"cores":[` + core + `],"system":{` +
		`"groups":[{"id":7,"path":"/a","kind":"unit","name":"=\u001b","throttling":{"times":1,"ns":2},` +
		`"pressure":{"some_ns":3,"full_ns":1}}],"tasks":[{` + did + `,"pid":7,"tid":8,"comm":"\u202e","group":7,` +
		`"uid":1,"kernel":true},{` + did + `,"pid":7,"tid":8,"comm":"+","group":9,"born":true,"exited":true}],` +
		`"ended":[{` + did + `,"group":7,"comm":"@","tasks":3}],"watched":2,` +
		`"queues":[{"cpu":1,"task_ns":90,"observed_ns":80,"max":2}],"program_ns":3,"program_sample_ns":9,"phase_ns":7}}`
	counter := func(variant string) string {
		return `{"workload":"counter","variant":"` + variant + `","mode":"threads","duration_ns":9,"operations":9,` +
			`"figures":[{"name":"counted","value":7}]}`
	}
	report := func(trials string) string {
		return `{"schema":1,"created":"2026-11-22T20:11:00Z","trials":[` + trials + `],` +
			`"quality":{"switches":3,"wall_ns":100},"recording":{"switches":3,"counted":4,"bytes":20,"lost":1,` +
			`"tool_cpu_ns":5,"wall_ns":100}}`
	}
	const why = `{"schema":1,"trials":[{"mode":"system","system":{},"why":{"block_ns":1,"taken":3,"skipped":2,` +
		`"lost":1,"walk_ns":5,"waits":[{"pid":7,"comm":"=","group":7,"state":"D","iowait":true,"stack":0,"samples":2,` +
		`"times":3.5,"blocked_ns":9,"wait_ns":1,"longest_ns":4,"waker":{"comm":"@","stack":0}},{"comm":"+",` +
		`"state":"R","stack":1,"times":1,"throttled_ns":7}],"pairs":[{"kind":"taken","task":{"pid":7,"comm":"=",` +
		`"process":"\u202e"},"by":{"comm":"\u001b","kernel":true},"count":3,"wait_ns":9},{"kind":"woken",` +
		`"interrupt":true,"count":1}]}}],"stacks":[[0,1,2],[]],` +
		`"frames":[{"function":"schedule","kernel":true},` +
		`{"function":"\u001b;\u202e","file":"/a/b","line":3,"inlined":true},{"unnamed":"\u0007",` +
		`"module":"=m","address":255}]}`
	return []string{
		why,
		report(trial("processes") + "," + trial("threads")),
		report(trial("command")),
		report(system + "," + system), report(system + "," + trial("threads")),
		`{"schema":1,"setup":{"watch":{"pids":[1],"cgroups":["\u001b"],"comms":["="],"uids":[0],"every_ns":1}}}`,
		report(`{"mode":"threads","cores":[{},{"classes":[{"class":"?"}]}],"workers":[{"merged":3}]}`),
		report(counter("unsynchronised") + "," + counter("lock")),
		`{"schema":1,"created":"2026-11-22T20:11:00Z","findings":[{"claim":"\u001b","verdict":"supported",` +
			`"sentence":"=1\u202e","effect":{"unit":"ns"},"figures":[{"name":"+","workload":"@","mode":"threads",` +
			`"unit":"\u0007","median":1e300,"low":-1,"n":6}]}]}`,
		report(""),
		`{"schema":2}`,
	}
}
