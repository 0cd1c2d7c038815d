# Turns sql/queries/<name>.sql into C: `const char sql_<name>[]` with the text as it stands, so that psql and the programs run the same statement.
# With -v header=1 the declarations.  Comment lines and a semicolon at the end are left out.
function begin() {
	name = FILENAME; sub(/.*\//, "", name); sub(/\.sql$/, "", name)
	if (header) { printf "extern const char sql_%s[];\n", name; return }
	if (open) print "\t\"\";"
	printf "const char sql_%s[] =\n", name
	open = 1
}
BEGIN { print header ? "/* Made of sql/queries by scripts/sql2c.awk. */" : "#include \"sql.h\"" }
FNR == 1 { begin() }
header || /^[ \t]*--/ || /^[ \t]*$/ { next }
{
	gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, " "); sub(/;[ \t]*$/, "")
	printf "\t\"%s \"\n", $0
}
END { if (open) print "\t\"\";" }
