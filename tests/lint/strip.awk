# strip.awk: prints FILE:LINE:CODE for each line of C, with comments gone and the inside of strings and characters emptied, so that
# a check looks at code only. #include lines keep their file names.
FNR == 1 {
	comment = 0
}
{
	line = $0
	if (!comment && line ~ /^[ \t]*#[ \t]*include/) {
		sub(/\/\*.*$/, "", line)
		print FILENAME ":" FNR ":" line
		next
	}
	code = ""
	while (line != "") {
		if (comment) {
			at = index(line, "*/")
			if (!at)
				break
			line = substr(line, at + 2)
			comment = 0
		} else if (match(line, /\/\*|\/\/|"|'/)) {
			code = code substr(line, 1, RSTART - 1)
			mark = substr(line, RSTART, RLENGTH)
			line = substr(line, RSTART + RLENGTH)
			if (mark == "//")
				break
			if (mark == "/*") {
				comment = 1
				code = code " "
				continue
			}
			# A quoted text: skip to its end, over escaped characters.
			while (line != "" && substr(line, 1, 1) != mark)
				line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
			line = substr(line, 2)
			code = code mark mark
		} else {
			code = code line
			break
		}
	}
	if (code ~ /[^ \t]/)
		print FILENAME ":" FNR ":" code
}
