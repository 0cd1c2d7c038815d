# Makes C tables of tab-separated files.  A line "@ <table> <column>:<type> ..." begins a table and names its columns; lines that begin with '#' are comments.
# Types: s string, c character, i integer, x hexadecimal without 0x, d<N> decimal as an integer of 10^-N.
# Each table becomes `const struct d_<table> d_<table>[]` and `const unsigned d_<table>_n`; the header given with -v header=… declares them.
BEGIN {
	FS = "\t"
	printf "/* Made by scripts/tsv2c.awk. */\n#include \"%s\"\n", header
}
function fail(text) {
	printf "tsv2c: %s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
	failed = 1
	exit 1
}
function finish() {
	if (table != "")
		printf "};\nconst unsigned d_%s_n = %d;\n", table, rows
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
	if (type == "s") {
		gsub(/\\/, "\\\\", v)
		gsub(/"/, "\\\"", v)
		return "\"" v "\""
	}
	return decimal(v, substr(type, 2) + 0)
}
/^#/ || /^$/ { next }
/^@ / {
	finish()
	columns = NF - 1
	table = substr($1, 3)
	rows = 0
	for (i = 1; i <= columns; i++) {
		split($(i + 1), word, ":")
		name[i] = word[1]
		type[i] = word[2]
	}
	printf "const struct d_%s d_%s[] = {\n", table, table
	next
}
{
	if (NF != columns)
		fail("expected " columns " columns, found " NF)
	printf "{"
	for (i = 1; i <= NF; i++)
		printf "%s.%s=%s", (i > 1 ? "," : ""), name[i], value($i, type[i])
	print "},"
	rows++
}
END {
	if (!failed)
		finish()
}
