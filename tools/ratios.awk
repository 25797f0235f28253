# Turns the benchmarks of the root package into a table of medians:
#
#	go test -run '^$' -bench . -benchmem -count 10 . | awk -f tools/ratios.awk
#
# A line is a call on a store: its median time through Kivis, that of the same
# work by hand, the ratio of the two, and the allocations of both.
/^Benchmark.*\/(kivis|hand)/ {
	name = $1
	sub(/^Benchmark/, "", name)
	sub(/-[0-9]+$/, "", name)
	split(name, part, "/")
	row = part[1] " | " part[2]
	if (!(row in seen)) {
		seen[row] = 1
		rows[++n] = row
	}
	times[row, part[3]] = times[row, part[3]] " " $3
	allocs[row, part[3]] = $(NF - 1)
}

function median(list,   v, k, i, j, t) {
	k = split(list, v, " ")
	for (i = 1; i <= k; i++)
		for (j = i + 1; j <= k; j++)
			if (v[j] + 0 < v[i] + 0) { t = v[i]; v[i] = v[j]; v[j] = t }
	return (v[int((k + 1) / 2)] + v[int(k / 2) + 1]) / 2
}

function time(ns) {
	return ns < 10000 ? sprintf("%.2f µs", ns / 1000) : sprintf("%.0f µs", ns / 1000)
}

END {
	print "| call | store | kivis | by hand | ratio | allocations, kivis / by hand |"
	print "| --- | --- | --: | --: | --: | --: |"
	for (i = 1; i <= n; i++) {
		k = median(times[rows[i], "kivis"])
		h = median(times[rows[i], "hand"])
		if (h > 0)
			printf "| %s | %s | %s | %.2f | %s / %s |\n", rows[i], time(k), time(h), k / h,
				allocs[rows[i], "kivis"], allocs[rows[i], "hand"]
	}
}
