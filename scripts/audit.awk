# Compares two outputs of sql/queries/audit_totals.sql, see AUDIT in dt-store(8):
#   awk -f scripts/audit.awk DERIVED LIVE
# DERIVED was made from the journal alone; LIVE is the database that runs.  Both must stand at the same event of the same journal.
# What began before the journal does, or came from elsewhere, cannot be compared and is counted.  Exit status: 0 all that can be compared agrees,
# 1 it does not, 65 the two cannot be compared at all.
BEGIN { FS = "\t" }
$1 == "position" && FILENAME == ARGV[1] { journal = $2; first = $3; last = $5; next }
$1 == "position" {
	if ($2 != journal || $5 != last) {
		printf "not comparable: the database is at event %s of journal %s, the journal was read to %s of %s\n", $5, $2, last == "" ? "none" : last, journal
		fatal = 65
		exit
	}
	live = 1
	next
}
FILENAME == ARGV[1] { derived[$1 FS $4] = $5; next }
{ seen[$1 FS $4] = 1 }
$2 != journal || $3 + 0 < first + 0 || $3 + 0 == 0 { apart[$1 FS $4] = 1; beyond[$1]++; kinds[$1] = 1; next }
{ compared[$1]++; kinds[$1] = 1 }
!(($1 FS $4) in derived) { differs("is not in the journal", $5, ""); next }
derived[$1 FS $4] != $5 { differs("the database has", $5, "; the journal gives " derived[$1 FS $4]) }
# What the database lacks it may lack rightly when its session or its character began elsewhere.
function is_apart(kind, key) {
	if (kind == "combat_session" && (("session" FS key) in seen))
		return ("session" FS key) in apart
	match(key, /"([^"\\]|\\.)*"/)
	return ("character" FS substr(key, RSTART, RLENGTH)) in apart
}
function differs(what, has, more) {
	printf "differs: %s %s: %s %s%s\n", $1, $4, what, has, more
	bad++
}
END {
	if (!fatal && (!live || journal == "")) {
		print "not comparable: one side has no position: nothing is stored of a journal"
		fatal = 65
	}
	if (fatal) exit fatal
	for (k in derived)
		if (!(k in seen)) {
			split(k, part, FS)
			if (is_apart(part[1], part[2])) {
				beyond[part[1]]++
				kinds[part[1]] = 1
				continue
			}
			printf "differs: %s %s: the database lacks it; the journal gives %s\n", part[1], part[2], derived[k]
			bad++
		}
	for (kind in kinds) {
		n += compared[kind]
		if (beyond[kind]) {
			printf "not compared: %d of %d lines of kind %s began before event %d or elsewhere\n", beyond[kind], beyond[kind] + compared[kind], kind, first
			n_apart += beyond[kind]
		}
	}
	printf "events %d to %d of journal %s: %d totals compared, %d differ, %d cannot be compared\n", first, last, journal, n, bad, n_apart
	exit bad > 0
}
