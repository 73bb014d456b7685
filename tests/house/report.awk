# report.awk: counts TAP. Reads OUT/results (build steps) and OUT/<preset>.list (the tests that should have run) with each
# test's OUT/<preset>/<name>.tap, .rc and .err. Exit status 1 if anything failed or nothing passed.
#
# A test without .rc was ended from outside (its time limit, usually) or was never started; one whose plan and results differ,
# or that exits with a status that its results do not explain, failed: each of these is one failure more.

function count(suite, passed, failed, skipped, ms) {
	if (!(suite in seen)) {
		seen[suite] = ++suites
		suite_name[suites] = suite
	}
	pass[suite] += passed
	fail[suite] += failed
	skip[suite] += skipped
	time[suite] += ms
}

function complain(suite, name, text) {
	complaints = complaints sprintf("FAILED %s/%s: %s\n", suite, name, text)
}

function tail(file, lines,    line, n, i, kept, text) {
	while ((getline line < file) > 0)
		kept[n++ % lines] = line
	close(file)
	text = ""
	for (i = (n > lines ? n - lines : 0); i < n; i++)
		text = text "    | " kept[i % lines] "\n"
	return text
}

function tap(preset, suite, name, limit,    base, line, rc, ms, plan, ok, bad, skipped, extra, f, shown, diag) {
	base = out "/" preset "/" name
	shown = preset == "tsan" ? suite " (tsan)" : suite
	if ((getline line < (base ".rc")) > 0) {
		split(line, f, " ")
		rc = f[1]
		ms = f[2]
		close(base ".rc")
	} else {
		complain(shown, name, "did not end by itself within " limit " s, or did not start")
		complaints = complaints tail(base ".tap", 20) tail(base ".err", 40)
		count(shown, 0, 1, 0, limit * 1000)
		return
	}
	plan = -1
	while ((getline line < (base ".tap")) > 0) {
		if (line ~ /^1\.\.[0-9]+/) {
			plan = (plan < 0 ? 0 : plan) + substr(line, 4) + 0
		} else if (line ~ /^(not )?ok .*# *[Ss][Kk][Ii][Pp]/) {
			skipped++
		} else if (line ~ /^ok( |$)/) {
			ok++
		} else if (line ~ /^not ok( |$)/) {
			bad++
			complain(shown, name, line)
			diag = 12
		} else if (line ~ /^S[0-9]+ passed$/) {
			steps = steps line "\n" # the acceptance steps (tests/desk)
		} else if (diag > 0 && line ~ /^ *#/) {
			complaints = complaints "    " line "\n"
			diag--
		}
	}
	close(base ".tap")
	if (rc == 77 && plan <= 0) {
		count(shown, 0, 0, 1, ms)
		return
	}
	extra = 0
	if (plan < 0) {
		complain(shown, name, "printed no plan (exit status " rc ")")
		extra = 1
	} else if (plan != ok + bad + skipped) {
		complain(shown, name, "planned " plan " results, gave " ok + bad + skipped " (exit status " rc ")")
		extra = 1
	} else if (rc != 0 && bad == 0) {
		complain(shown, name, "exit status " rc " with no failed result")
		extra = 1
	}
	if (extra)
		complaints = complaints tail(base ".tap", 10)
	if (extra || bad)
		complaints = complaints tail(base ".err", 40)
	count(shown, ok + 0, bad + extra, skipped + 0, ms)
}

BEGIN {
	while ((getline line < (out "/results")) > 0) {
		split(line, f, " ")
		what = line
		sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", what)
		count(f[1], f[2] == 1, f[2] != 1, 0, f[3])
		if (f[2] != 1)
			complain(f[1], "compile", what)
	}
	presets = split("asan tsan", preset, " ")
	for (p = 1; p <= presets; p++) {
		list = out "/" preset[p] ".list"
		while ((getline line < list) > 0)
			if (split(line, f, " ") == 3)
				tap(preset[p], f[1], f[2], f[3])
		close(list)
	}
	if (complaints != "")
		printf "%s\n", complaints
	printf "%s", steps
	for (i = 1; i <= suites; i++) {
		s = suite_name[i]
		printf "%-16s %5d passed %4d failed %4d skipped %8.1f s\n", s, pass[s], fail[s], skip[s], time[s] / 1000
		passed += pass[s]
		failed += fail[s]
		skipped += skip[s]
	}
	printf "%d passed, %d failed", passed, failed
	if (skipped > 0)
		printf ", %d skipped", skipped
	printf "\n"
	exit (failed > 0 || passed == 0)
}
