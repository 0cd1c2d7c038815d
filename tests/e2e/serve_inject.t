#!/bin/sh
# What is no value but a piece of SQL, of a pattern, of an array, or far too much: given to every parameter and member; PostgreSQL never hears of it as a statement.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/pg.sh"
. "$ROOT/tests/serve.sh"
. "$ROOT/tests/store.sh"

pg_start
inventory_db
fanout_start
start store dt-store
start inventory dt-store --sink inventory
serve_start
warm
walk "O'Neil" 1 2 '"kills":3'
snapshot "O'Neil" -5 "$(item 1 Sword 1)" | dt-send -q
publish '{"type":"rare","character_name":"O'"'"'Neil","name":"Gem","ew":1,"ns":2}' '{"type":"quest","character_name":"O'"'"'Neil","quest_name":"q","countdown":"1h"}'
wait_for "[ \"\$(get '/search/items' | jq .total_count)\" = 1 ]" 30
wait_for "[ \"\$(get '/rares' | jq '.rares | length')\" = 1 ]" 30
is 'an apostrophe is a letter of a name' "$(code /stats/O%27Neil) $(get '/rares?character=O%27Neil' | jq '.rares | length') $(get '/search/items?character=O%27Neil' | jq .total_count)" '200 1 1'

cat >"$T/strings" <<'ROWS'
'
''
"
`
;
\
\'
''''
--
#
/*
*/
/**/
' or 1=1--
' or '1'='1
' or ''='
") or ("1"="1
') or ('1'='1
or 1=1
1 or 1=1
1; drop table dt.items
1'; drop table dt.items; --
'; drop table dt.rares; --
'); drop schema dt cascade; --
"; drop table issues; --
' union select null--
' union select null,null,null--
' union all select usename, passwd from pg_shadow--
' and 1=(select count(*) from pg_tables)--
' and pg_sleep(20)--
'||pg_sleep(20)--
1||pg_sleep(20)
(select pg_sleep(20))
'; select pg_sleep(20); --
' and 1=cast((select version()) as int)--
' || (select current_user) || '
copy (select 1) to program 'id'
'; copy dt.items to program 'id'; --
lo_import('/etc/passwd')
current_setting('is_superuser')
$$
$$;select 1;$$
$1
$2
:1
:name
?
??
%
%%
_
%_%
\%
\_
%' escape '%
[a-z]%
%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%x
_________________________
{}
{1,2,3}
{"a","b"}
{{{{{{{{{{
}}
{1}';drop table x;--
array[1,2]
null
NULL
default
true
(
)
((((((((((((((((((((((((((
)))))
,
,,,,
1,2
1e999
-1
0x7fffffffffffffff
9223372036854775807
9223372036854775808
-9223372036854775809
99999999999999999999999999999999999
1.5
NaN
Infinity
-infinity
now()
epoch
0
infinity
name desc
name; drop table x
name,(select 1)
-name--
--name
name asc nulls first
(case when 1=1 then name else value end)
1 limit 1 offset 1
e'\x27'
E'\047 or 1=1'
U&'\0027'
chr(39)
x' or 1=1 limit 1 --
@@version
xp_cmdshell('dir')
admin'--
admin' #
<script>alert(1)</script>
${7*7}
{{7*7}}
../../etc/passwd
a b
ROWS
printf '\303\251\n\360\237\222\243\n\342\200\256x\n\312\274 or 1=1--\n\357\274\207 or 1=1--\n' >>"$T/strings"
jq -Rr 'select(. != "") | @uri' "$T/strings" >"$T/encoded"
printf '%s\n' '%00' 'a%00b' '%27%00' '%c0%a7' '%bf%27' '%ff' '%ed%a0%80' '%0a' '%0d%0a' '%1b' '%7f' '%e2%80%a8' "$(printf %02000d 0)" >>"$T/encoded"

# every parameter that the documents know: "PATH?NAME=", or the path up to it; each gets a part of the strings, text a sixth of them, numbers a thirtieth
jq -r '. as $d | def deref: if has("$ref") then (.["$ref"] | ltrimstr("#/") | split("/")) as $p | $d | getpath($p) | deref else . end;
    .paths | to_entries[] | .key as $path | .value as $v | select($v.get and ($path | test("/admin/|/login|^/contract") | not)) | (($v.parameters // []) + ($v.get.parameters // []))[] | deref
    | (if (.schema | deref | .type) == "string" or (.schema | deref | .type) == "array" then 6 else 30 end) as $each
    | if .in == "path" then "\($each) \($path | split("{")[0]) \($path | split("}")[1])"
      else "\($each) \($path | gsub("[{].*?[}]"; "O%27Neil"))?\(.name)=" end' "$ROOT/static/contract/openapi.json" | sort -u >"$T/parameters"
awk -v url="$URL" 'NR == FNR { string[n++] = $0; next }
	{ for (i = FNR % $1; i < n; i += $1) printf "%surl=\"%s%s%s%s\"\noutput=\"/dev/null\"\nsilent\npath-as-is\nmax-time=60\nwrite-out=\"%%{http_code} %s%s%s\\n\"\n", (m++ ? "next\n" : ""), url, $2, string[i], $3, $2, string[i], $3 }' \
    "$T/encoded" "$T/parameters" | sed '/write-out/s/%\([0-9A-Fa-f][0-9A-Fa-f]\)/%%\1/g' >"$T/config"
curl -Z --parallel-max 4 --config "$T/config" >"$T/answers" 2>"$T/progress"
# 503: PostgreSQL had to be waited for too long, since something stood still: asked again
grep '^503 ' "$T/answers" | while read -r again path; do
	for _ in 1 2 3 4 5; do
		[ "$again" = 503 ] || break
		again=$(curl -s -m 60 --path-as-is -o "$T/o" -w '%{http_code}' "$URL$path")
	done
	echo "$again $path"
done >"$T/again"
{ grep -v '^503 ' "$T/answers"; cat "$T/again"; } >"$T/all"
mv "$T/all" "$T/answers"
ok "F47: $(wc -l <"$T/encoded") strings in $(wc -l <"$T/parameters") parameters" [ "$(wc -l <"$T/encoded")" -ge 110 ] && [ "$(wc -l <"$T/parameters")" -ge 100 ]
is 'F47: each was asked' "$(wc -l <"$T/answers")" "$(grep -c '^url=' "$T/config")"
# 503 says that lws itself found nothing fit to be a request; what it cuts off has no status
is 'F47: each is taken as a value, or refused' "$(grep -vE '^(200|400|403|404|422) ' "$T/answers" | grep -v '^000 .*%\(00\|0a\|0d\)' | head -n 5)" ''
diag "$(cut -c 1-3 "$T/answers" | sort | uniq -c | tr '\n' ' ')"

# members of bodies, and words on /ws/live
head -n 100 "$T/strings" >"$T/some"
jq -Rr --arg url "$URL" '"next\nurl=\"\($url)/issues\"\noutput=\"/dev/null\"\nsilent\nwrite-out=\"%{http_code}\\n\"\nheader=\"Content-Type: application/json\"\nheader=\"Origin: \($url)\"\ndata-binary=" + ({title: ., body: .} | tojson | tojson)' \
    "$T/some" | sed 1d >"$T/config"
curl --config "$T/config" >"$T/made"
is 'F47: notes on the board are made of them' "$(sort "$T/made" | uniq -c | sed 's/^ *//')" '100 201'
is 'F47: word for word' "$(get '/issues?limit=200' | jq -r '.issues | sort_by(.id)[].title' | cksum)" "$(sed 's/^ *//; s/ *$//' "$T/some" | cksum)"

# too much, and from everywhere to forever
too_much() { while read -r path; do
	for _ in 1 2 3 4 5; do
		got=$(CONTRACT=off code "$path")
		[ "$got" = 503 ] || break
	done
	case $got in 200 | 4??) ;; *) echo "$got $path" ;; esac
done; }
is 'F48: ranges without end and numbers without sense are refused, or bounded' "$(too_much <<-ROWS
	/history?from=0&to=9e18
	/history?from=0&to=9000000000000000000
	/history?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z
	/history?from=-infinity&to=infinity
	/history?bucket=1ns
	/history?limit=1000000000000
	/rares?from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&limit=999999999
	/item-moves?from=0&to=9e18
	/item-moves?item_id=99999999999999999999
	/spawns/heatmap?hours=1e9
	/spawns/heatmap?hours=1000000000
	/spawns/heatmap?limit=9e18
	/trails?seconds=9e18
	/live?within=1000000000
	/search/items?limit=1000000000
	/search/items?page=9223372036854775807
	/search/items?min_value=-9e99&max_value=9e99
	/stats?page=9223372036854775807
	/quests?page=1000000000&limit=1000000
	/search/items?text=$(printf %03000d 0)
	/search/items?text=$(printf %0500d 0 | sed 's/0/%25_/g')
	/search/items?q=$(printf %0700d 0 | sed 's/0/%28/g')
	/search/items?q=$(printf %0300d 0 | sed 's/0/al%3E1+/g')
	/search/items?$(printf %040d 0 | sed 's/0/spell=a\&/g')x=
	/issues/99999999999999999999
	/dungeon-map/$(printf %01000d 0)
	/stats/$(printf %03000d 0)
ROWS
)" ''
is 'F48: and all is well' "$(code /readyz) $(code /rares) $(code /search/items) $(code /history)" '200 200 200 200'

is 'F47: PostgreSQL had no error' "$(grep -E 'ERROR|FATAL|PANIC' "$T/pg.log" | grep -vE 'database "(dereth|inventory_db)" does not exist|starting up|shutting down' | head -n 5)" ''
is 'F47: all that was there is there' "$(sql "select count(*) from information_schema.tables where table_schema = 'dt' and table_name in ('rares', 'characters', 'telemetry')") $(isql 'select count(*) from dt.items')" '3 1'
done_testing
