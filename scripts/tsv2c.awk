# Makes C tables of tab-separated files.  A line "@ <table> <column>:<type> ..." begins a table and names its columns; lines that begin with '#' are comments.
# Types: s string, p string as an offset into one pool of all of them, c character, i integer, x hexadecimal without 0x, d<N> decimal as an integer of 10^-N.
# Table T becomes `const struct R name[]` and `const unsigned name_n`; the header given with -v header=… declares them.  R and name are "d_T" unless -v row='game_%s'
# and -v name='game_%s_rows' say otherwise; -v rows="a=game_row b=game_row" names the struct of single tables.  The pool is -v pool=NAME.
BEGIN {
	FS = "\t"
	if (row == "")
		row = "d_%s"
	if (name == "")
		name = "d_%s"
	n = split(rows, word, " ")
	for (i = 1; i <= n; i++) {
		split(word[i], pair, "=")
		row_of[pair[1]] = pair[2]
	}
	printf "/* Made by scripts/tsv2c.awk. */\n#include \"%s\"\n", header
}
function fail(text) {
	printf "tsv2c: %s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
	failed = 1
	exit 1
}
function finish() {
	if (table != "")
		printf "};\nconst unsigned %s_n = %d;\n", sprintf(name, table), count
}
function decimal(v, digits,    sign, whole, part) {
	if (v !~ /^-?[0-9]+(\.[0-9]+)?$/)
		fail("not a decimal: " v)
	sign = sub(/^-/, "", v) ? "-" : ""
	whole = part = v
	sub(/\..*/, "", whole)
	if (!sub(/.*\./, "", part))
		part = ""
	part = substr(part "00000000000", 1, digits)
	v = whole part
	sub(/^0+/, "", v)
	return v == "" ? "0" : sign v
}
function quoted(v) {
	gsub(/\\/, "\\\\", v)
	gsub(/"/, "\\\"", v)
	return "\"" v "\""
}
function pooled(v) {
	if (v ~ /[^ -~]/)
		fail("not ASCII, which the pool counts on: " v)
	if (!(v in at)) {
		at[v] = pool_size + 0
		pool_size += length(v) + 1
		text[++texts] = v
	}
	return at[v]
}
function value(v, type) {
	if (type == "i") {
		if (v !~ /^-?[0-9]+$/)
			fail("not an integer: " v)
		return v
	}
	if (type == "x")
		return "0x" v
	if (type == "c")
		return "'" substr(v, 1, 1) "'"
	if (type == "s")
		return quoted(v)
	if (type == "p")
		return pooled(v)
	return decimal(v, substr(type, 2) + 0)
}
/^#/ || /^$/ { next }
/^@ / {
	finish()
	columns = NF - 1
	table = substr($1, 3)
	count = 0
	for (i = 1; i <= columns; i++) {
		split($(i + 1), word, ":")
		column[i] = word[1]
		type[i] = word[2]
	}
	printf "const struct %s %s[] = {\n", (table in row_of) ? row_of[table] : sprintf(row, table), sprintf(name, table)
	next
}
{
	if (NF != columns)
		fail("expected " columns " columns, found " NF)
	printf "{"
	for (i = 1; i <= NF; i++)
		printf "%s.%s=%s", (i > 1 ? "," : ""), column[i], value($i, type[i])
	print "},"
	count++
}
END {
	if (failed)
		exit 1
	finish()
	if (pool != "") {
		printf "const char %s[] =\n", pool
		for (i = 1; i <= texts; i++)
			printf "%s \"\\0\"\n", quoted(text[i])
		print ";"
	}
}
