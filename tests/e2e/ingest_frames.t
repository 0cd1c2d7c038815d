#!/bin/sh
# Frames through dt-ingest: what is good arrives byte for byte, what is bad costs only itself, and every frame is counted.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ingest.sh"

fanout_start
ingest_start --max-bytes 0
plugin a

# accepted WHAT FRAME [AS IT ARRIVES]: in the journal behind the stamp
accepted() {
	_lines=$(journal . | wc -l)
	say a "$2"
	settled a
	wait_for "[ \$(journal . | wc -l) -gt $_lines ]"
	_tail=$(journal . | tail -n 1 | sed 's/^{"_seq":[0-9]*,"_rx":"[^"]*",//')
	is "$1" "{$_tail" "${3:-$2}"
}

# refused WHAT REASON 'SENTENCE' FRAME: sent now, looked at by all_refused
refused() {
	say a "$4"
	echo "$2" >>"$T/reasons"
	printf '%s\t%s\n' "$1" "$3" >>"$T/refused"
}

# Errors come in the order of their frames, the first of these behind SKIPPED others.
all_refused() {
	wait_for "[ \$(count_of a '\"type\":\"error\"') -ge $(($1 + $(wc -l <"$T/refused"))) ]" 20
	grep '"type":"error"' "$T/a.out" | tail -n "+$(($1 + 1))" | paste "$T/refused" - >"$T/answers"
	while IFS="$(printf '\t')" read -r what sentence answer; do
		like "$what" "$answer" "^\{\"type\":\"error\",\"error\":\"$sentence"
	done <"$T/answers"
}

# raw 'TEXT': a frame of less than 126 bytes, with the escapes of printf in it
raw() {
	_hex=$(printf '%b' "$1" | od -An -v -tx1 | tr -d ' \n')
	printf '!hex 81%02x00000000%s' $((128 + ${#_hex} / 2)) "$_hex"
}
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of ingest)/status"; }

accepted 'an event' '{"type":"chat","character_name":"Larsson","timestamp":"2026-04-21T17:03:11.1234567Z","text":"hé"}'
accepted 'numbers and blanks as they came' '{ "type" : "quest" , "n" : 1.10, "big":12345678901234567890123 , "character_name":"Larsson" }' \
	'{ "type" : "quest" , "n" : 1.10, "big":12345678901234567890123 , "character_name":"Larsson" }'
accepted 'a type that nobody knows' '{"type":"sneeze","x":[1,{"y":null}]}'
accepted 'register' '{"type":"register","player_name":"Larsson","character_name":"Larsson"}'
accepted 'repeated keys that do not matter' '{"type":"chat","a":1,"a":2}'
accepted 'a name of 32 characters' '{"type":"chat","character_name":"+Ünderwörld Of The Very Long Nam"}'
accepted 'names of the stream are taken out' '{"_seq":5,"type":"chat","_rx":"x","character_name":"Larsson","a":{"_b":1},"_z":{"q":1}}' \
	'{"type":"chat","character_name":"Larsson","a":{"_b":1}}'
accepted 'an escaped one too' '{"type":"chat","\u005fseq":5,"b":2}' '{"type":"chat","b":2}'
accepted 'F31: fragments that cut characters' '!fragments {"type":"chat","text":"in piéces 🜁"}' '{"type":"chat","text":"in piéces 🜁"}'
accepted 'F32: 64 levels' "{\"type\":\"chat\",\"x\":$(printf '%063d' 0 | tr 0 '[')$(printf '%063d' 0 | tr 0 ']')}"
accepted 'F33: numbers of any size' '{"type":"chat","a":1e999,"b":-0,"c":123456789012345678901234567890,"d":-1E-400,"e":9007199254740993}'
accepted 'F34: escaped control characters' '{"type":"chat","text":"\u001b[31m\n\t\u007f"}'
accepted 'F35: a name twice further down' '{"type":"chat","x":{"type":"rare","type":"rare","character_name":"A"}}'

errors=$(count_of a '"type":"error"')
refused 'not JSON' not_json 'not JSON' 'hello'
refused 'nothing' empty 'nothing there' '!hex 818000000000'
refused 'an array' not_object 'JSON, but not an object' '[1]'
refused 'no type' no_type 'without a type' '{"character_name":"Larsson"}'
refused 'a type that is no string' no_type 'without a type' '{"type":5}'
refused 'half an object' truncated 'ends in the middle' '{"type":"chat"'
refused 'two objects' trailing 'something follows' '{"type":"chat"}{"type":"chat"}'
for number in NaN Infinity -Infinity 01 +1 .5 1. 1e -; do
	refused "F33: $number" bad_number 'a number that JSON has no form for' "{\"type\":\"chat\",\"x\":$number}"
done
# a lone byte, overlong forms, a surrogate, beyond U+10FFFF, cut off
for bytes in '\0377' '\0300\0200' '\0340\0200\0257' '\0360\0200\0200\0257' '\0355\0240\0200' '\0364\0220\0200\0200' '\0303' '\0200'; do
	refused "F31: $bytes" bad_utf8 'a string is not valid UTF-8' "$(raw "{\"type\":\"chat\",\"x\":\"$bytes\"}")"
done
refused 'F31: half a surrogate pair' surrogate 'a string holds half' '{"type":"chat","x":"\ud800"}'
refused 'F34: an escaped NUL' nul 'holds a NUL' '{"type":"chat","x":"\u0000"}'
refused 'F34: a raw NUL in a string' nul 'holds a NUL' "$(raw '{"type":"chat","x":"a\0000b"}')"
refused 'F34: a raw ESC in a string' control 'a string holds a raw control character' "$(raw '{"type":"chat","x":"\0033[31m"}')"
refused 'F34: a raw NUL between tokens' nul 'holds a NUL' "$(raw '{"type":"chat",\0000"x":1}')"
refused 'F32: 65 levels' depth 'nested deeper than 64' "{\"type\":\"chat\",\"x\":$(printf '%064d' 0 | tr 0 '[')$(printf '%064d' 0 | tr 0 ']')}"
refused 'F32: 100,000 levels' depth 'nested deeper than 64' "{\"type\":\"chat\",\"x\":$(printf '%0100000d' 0 | tr 0 '[')"
refused 'F35: two types' duplicate 'type, character_name or timestamp is there twice' '{"type":"chat","type":"rare"}'
refused 'F35: two names' duplicate 'type, character_name or timestamp is there twice' '{"type":"chat","character_name":"A","character_name":"B"}'
refused 'F35: two names, one of them in disguise' duplicate 'type, character_name or timestamp is there twice' '{"type":"chat","character_name":"A","character\u005fname":"B"}'
refused 'a binary frame' binary 'a binary frame' '!binary {"type":"chat"}'
refused 'an empty name' character_name 'character_name must be' '{"type":"chat","character_name":""}'
refused 'blanks as name' character_name 'character_name must be' '{"type":"chat","character_name":"  "}'
refused 'a name of 33 characters' character_name 'character_name must be' '{"type":"chat","character_name":"123456789012345678901234567890123"}'
refused 'F34: a line break in a name' character_name 'character_name must be' '{"type":"chat","character_name":"A\nB"}'
refused 'a name that runs backwards' character_name 'character_name must be' '{"type":"chat","character_name":"A\u202eB"}'
refused 'a name that is a number' character_name 'character_name must be' '{"type":"chat","character_name":7}'
refused 'F29: over 256 KiB' oversize 'larger than 256 KiB' '!pad 262145 chat'
all_refused "$errors"

say a '!pad 262144 chat' '!pad 16777216 full_inventory' '!pad 3000000 dungeon_map' '!pad 1000000 inventory'
ok 'exactly 256 KiB' in_journal '"type":"chat","character_name":"Pad"'
ok 'exactly 16 MiB of inventory' in_journal '"type":"full_inventory","character_name":"Pad"'
ok 'a large map' in_journal '"type":"dungeon_map","character_name":"Pad"'
ok 'a large inventory' in_journal '"type":"inventory","character_name":"Pad"'

now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
plugin times
say times '{"type":"t"}' '{"type":"t","timestamp":"yesterday"}' '{"type":"t","timestamp":7}' '{"type":"t","timestamp":"2001-01-01T00:00:00Z"}' \
	'{"type":"t","timestamp":"9999-01-01T00:00:00Z"}' "{\"type\":\"t\",\"timestamp\":\"$now\"}" '{"type":"t","timestamp":"1970-01-01T00:00:00.0000000Z"}'
ok 'late and early ones pass' wait_for '[ "$(journal "\"type\":\"t\"" | wc -l)" = 7 ]'
fresh_metric times_total >/dev/null
is 'counts missing times' "$(($(metric dt-ingest times_total missing) > 5))" 1
is 'counts unreadable times' "$(metric dt-ingest times_total unreadable)" 2
is 'counts future times' "$(metric dt-ingest times_total future)" 1
is 'counts stripped names' "$(metric dt-ingest stripped_names_total)" 4

sort "$T/reasons" | uniq -c | while read -r n reason; do
	echo "$reason $(metric dt-ingest rejected_total "$reason") $n"
done >"$T/counts"
like 'counts refusals by reason' "$(cat "$T/counts")" 'bad_number 9 9'
is 'each at least as often as seen' "$(awk '$2 < $3' "$T/counts")" ''
fresh_metric frames_total >/dev/null
is 'frames = events + refusals' "$(jq '.metrics | .frames_total - .events_total - (.rejected_total | add)' "$DT_RUN/status/dt-ingest.json")" 0
is 'every event is in the journal' "$(journal . | wc -l | tr -d ' ')" "$(metric dt-ingest events_total)"
ok 'nothing pends' wait_for '[ "$(metric dt-ingest pending)" = 0 ]'
is 'the connection has survived all this' "$(count_of a '^!closed')" 0

over=$(metric dt-ingest rejected_total oversize)
before=$(rss)
say a '!announce 16777217'
ok 'F29: over 16 MiB closes with 1009, as soon as it is announced' hears a '^!closed 1009'
plugin b
say b '!announce 1099511627776'
ok 'F29: a terabyte too' hears b '^!closed 1009'
plugin b63
say b63 '!hex 81ff800000000000000000000000'
ok 'F29: a length of 2^63 is none: cut off' hears b63 '^!end'
[ "$slow" = 1 ] && ok "F29: no memory is taken for it ($before kB before)" test "$(rss)" -lt $((before + 4096))
plugin b1
say b1 '!unended 70000'
ok 'F30: fragments without end close with 1009' hears b1 '^!closed 1009'
is 'F29, F30: counted' "$(fresh_metric rejected_total oversize)" $((over + 3))
plugin c
say c '!hex c18100000000'
ok 'a reserved bit closes with 1002' hears c '^!closed 1002'
plugin d
say d '{"type":"chat","text":"still alive"}'
ok 'the others go on' in_journal 'still alive'
unlike 'no event in the log' "$(cat "$T/ingest.log")" 'still alive'
stop ingest
is 'ends with 0' $? 0
ok 'and says goodbye' hears d '^!closed 1001'
done_testing
