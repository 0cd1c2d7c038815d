#!/bin/sh
# dt-store adds up combat_stats by the lifetime rule: resets, older snapshots, missing monsters, odd numbers; and puts aside what is none.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../pg.sh"
. "$(dirname "$0")/../store.sh"
pg_start || exit 1

# combat NAME SESSION SECONDS SEQ MONSTERS [more fields]
combat() {
	printf '{"type":"combat_stats","character_name":"%s","timestamp":"%s","session_id":"%s","seq":%s,"monsters":{%s}%s}\n' \
	    "$1" "$(at "$3")" "$2" "$4" "$5" "${6:-}"
}
# rat KILLS ATTACKS MAX
rat() { printf '"Rat":{"kills":%s,"given":{"melee_missile":{"Slash":{"attacks":%s,"failed":1,"crits":1,"normal_damage":%s,"max_normal":%s,"crit_damage":7,"max_crit":7}}}}' "$1" "$2" $(($2 * 10)) "$3"; }
# answer NAME: what GET /combat-stats answers from
answer() { sql "prepare p as $(cat "$ROOT/sql/queries/combat.sql") execute p('$1')"; }
lifetime() { answer "$1" | awk -F'|' '{ print $NF }'; }
rats() { sql "select kills from combat_stats_monsters where character_name = '$1' and monster = 'Rat'"; sql "select attacks, failed, normal_damage, max_normal from combat_stats where character_name = '$1' and monster = 'Rat'"; }

{
	combat Grows s1 -600 1 "$(rat 2 10 30)"
	combat Grows s1 -570 2 "$(rat 5 25 40)"
	combat Grows s2 -540 1 "$(rat 1 4 90)"
	combat Reset s1 -600 1 "$(rat 10 30 70)"
	combat Reset s1 -570 2 "$(rat 10 4 80)"
	combat BySeq s1 -600 9 "$(rat 3 10 5)"
	combat BySeq s1 -570 1 "$(rat 3 10 5)"
	combat Older s1 -500 3 "$(rat 5 20 50)"
	combat Older s1 -530 2 "$(rat 9 99 99)"
	combat Equal s1 -500 2 "$(rat 5 20 50)"
	combat Equal s1 -500 1 "$(rat 2 9 40)"
	combat Equal s1 -500 3 "$(rat 6 21 50)"
	combat Gone s1 -500 1 "$(rat 5 20 50)"
	combat Gone s1 -470 2 '"Cow":{"kills":1}'
	combat Gone s1 -440 3 "$(rat 6 22 50),\"Cow\":{\"kills\":1}"
	combat Odd s1 -500 1 '"Rat":{"kills":"1,012","given":{"melee_missile":{"Bludge":{"attacks":" 7.0 ","failed":"N/A","normal_damage":null}},"magic":{"Custard":{"attacks":2}}}},"O'"'"'Neil \"<b>\\u00e9":{"aetheria_surges":2,"cloak_surges":"1"}' ',"totals":{"kills":"2,000"},"extra":{"n":[12345678901234567890]}'
	printf '{"type":"combat_stats","character_name":"Timeless","session_id":"s1","seq":2,"monsters":{%s}}\n' "$(rat 5 20 50)"
	printf '{"type":"combat_stats","character_name":"Timeless","session_id":"s1","seq":1,"monsters":{%s}}\n' "$(rat 4 18 50)"
	printf '{"type":"combat_stats","character_name":"Timeless","session_id":"s1","seq":3,"monsters":{%s}}\n' "$(rat 6 22 50)"
	combat Grows s1 -480 3 "$(rat 6 26 40)"
	combat Grows s1 -490 9 "$(rat 90 260 400)"
} >"$T/events"
put <"$T/events"
ok 'stored' store --rows 3

is 'what it grew by, per session' "$(rats Grows)" '7
30|2|300|90'
is 'a counter that falls: all of it counts anew' "$(rats Reset)" '20
34|2|340|80'
is 'so does a sequence number that falls' "$(rats BySeq)" '6
20|2|200|5'
is 'an older one changes nothing' "$(rats Older)" '5
20|1|200|50'
is 'equal times go by sequence number' "$(rats Equal)" '6
21|1|210|50'
is 'no times too' "$(rats Timeless)" '6
22|1|220|50'
is 'a monster that is missing is as it was' "$(rats Gone)" '6
22|1|220|50'
is 'numbers as strings, Bludge, elements and names that nobody knows' "$(lifetime Odd | jq -cS .)" \
    '{"monsters":{"O'"'"'Neil \"<b>\\u00e9":{"aetheria_surges":2,"cloak_surges":1,"given":{},"kills":0,"received":{}},"Rat":{"aetheria_surges":0,"cloak_surges":0,"given":{"magic":{"Unknown":{"attacks":2,"crit_damage":0,"crits":0,"failed":0,"max_crit":0,"max_normal":0,"normal_damage":0}},"melee_missile":{"Bludgeon":{"attacks":7,"crit_damage":0,"crits":0,"failed":0,"max_crit":0,"max_normal":0,"normal_damage":0}}},"kills":1012,"received":{}}},"totals":{"damage_given":0,"damage_received":0,"kills":2000}}'
is 'totals that are not stated are those of the monsters' "$(lifetime Grows | jq -c .totals)" '{"kills":7,"damage_given":314,"damage_received":0}'
is 'the session is the newest, as it was sent' "$(answer Grows | cut -d'|' -f2 | jq -c '[.session_id, .seq, ._seq]')" '["s1",3,null]'
is 'with what nobody knows, all digits' "$(answer Odd | cut -d'|' -f2 | grep -c 12345678901234567890)" 1
is 'a name that never fought' "$(answer Nobody)" ''
is 'the last snapshot of each session' "$(sql "select session_id, seq from combat_stats_sessions where character_name = 'Grows' order by 1")" 's1|3
s2|1'
is 'who has fought' "$(sql "prepare p as $(cat "$ROOT/sql/queries/serve_combat_characters.sql") execute p(null, 9)" | cut -d'|' -f1,2 | head -n 3)" 'BySeq|6
Equal|6
Gone|7'

all() { sql 'select * from combat_stats order by 1, 2, 3, 4, 5'; sql 'select * from combat_stats_monsters order by 1, 2'; sql 'select character_name, kills, damage_given, damage_received from combat_stats_totals order by 1'; }
first=$(all | grep -v Timeless)
put <"$T/events"
store
is 'the same events again' "$(all | grep -v Timeless)" "$first"
sed 's/^{/{"_replay":true,/; s/"kills":\([0-9]\)/"kills":9\1/g' "$T/events" | put
store
is 'a replay counts nothing' "$(all | grep -v Timeless)" "$first"

# a session that was last heard of long ago is known again
sql "update dt.combat_sessions set known = null" >/dev/null
{ combat Gone s1 -300 4 "$(rat 8 23 50)"; combat Gone s3 -290 1 "$(rat 1 1 1)"; combat Gone s1 -280 5 "$(rat 9 24 50)"; } | put
store --rows 1
is 'after a restart it goes on where it was' "$(rats Gone)" '10
25|2|250|50'

# what is none costs itself only
{
	combat Bad s1 -200 1 '"Rat":{"kills":-1}'
	combat Bad s1 -200 1 '"Rat":{"kills":9007199254740992}'
	combat Bad s1 -200 1 '"Rat":{"kills":1e400}'
	combat Bad s1 -200 1 '"Rat":{"kills":[]}'
	combat Bad s1 -200 1 '"Rat":7'
	combat Bad s1 -200 1 '"Rat\u0007":{}'
	combat Bad s1 -200 '"x"' '"Rat":{"given":{"magic":{"Fire":{"attacks":1.5}}}}'
	echo '{"type":"combat_stats","session_id":"s1","monsters":{}}'
	combat Bad s1 -190 1 "$(rat 9007199254740991 1 1)"
	combat Huge s1 -200 1 "$(awk 'BEGIN { for (i = 0; i < 3900; i++) printf "%s\"Monster %d\":{\"kills\":1,\"given\":{\"magic\":{\"Fire\":{\"attacks\":2}}}}", i ? "," : "", i }')"
	combat Huge s1 -190 2 "$(awk 'BEGIN { for (i = 0; i < 101; i++) printf "%s\"Other %d\":{\"kills\":1}", i ? "," : "", i }')"
	combat Good s1 -200 1 "$(rat 1 2 3)"
} >"$T/odd"
put <"$T/odd"
ok 'odd events do not stop it' store
is 'why they are put aside' "$(sql 'select reason from dead_letters order by seq')" 'bad_shape: a counter is negative
bad_shape: a counter is too large
bad_shape: a counter is not a whole number, or too large
bad_shape: a counter is not a number
bad_shape: a monster is not an object
bad_shape: a monster'"'"'s name has control characters
bad_shape: a counter is not a whole number, or too large
no_character
too_many_names: too many monsters in one session'
is 'the others count' "$(rats Good)" '1
2|1|20|3'
is 'a large one too' "$(sql "select count(*), sum(kills) from combat_stats_monsters where character_name = 'Huge'")" '3900|3900'
is 'the largest number' "$(sql "select kills from combat_stats_totals where character_name = 'Bad'")" 9007199254740991

# a lifetime that would not fit: only that snapshot is put aside
sql "update dt.combat_characters set kills = 9223372036854775800 where character_id = (select id from dt.characters where name = 'Good')"
{ combat Good s1 -100 2 "$(rat 50 51 3)"; combat Grows s2 -100 2 "$(rat 2 5 90)"; } | put
ok 'a total that overflows' store
like 'is put aside' "$(sql 'select reason from dead_letters order by seq desc limit 1')" '^database: bigint out of range'
is 'the rest is stored' "$(rats Grows | head -n 1)" 8
done_testing
