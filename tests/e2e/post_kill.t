#!/bin/sh
# lib/post killed between sending and marking: never a message lost, one duplicate a kill at most, none where Discord knows the nonce.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/discord.sh"
. "$ROOT/tests/poster.sh"

discord_start || exit 1
discord_plays 'always slow 15'
kills=8 each=40
i=0
while [ $i -lt $each ]; do
	i=$((i + 1))
	printf 'text d %s d-%s\ntext c %s c-%s\nraw w %s {"w":%s}\n' "d$i" "$i" "c$i" "$i" "w$i" "$i"
done >"$T/all"
k=0
while [ $k -lt $kills ]; do
	k=$((k + 1))
	poster_start
	before=$(accepted_count)
	cat "$T/all" >>"$T/lines"                # all of it again each time, as one does who starts from an older position
	wait_for "[ \$(accepted_count) -ge $((before + 3)) ]"
	kill9 poster
done
queued=$(grep -c '^queued' "$printed")
is 'each message was taken once' "$queued" $((each * 3))
poster_start
cat "$T/all" >>"$T/lines"
ok 'the rest goes out' poster_end
is 'nothing is lost' "$(accepted '"\(.target) \(.text) \(.body.w // "")"' | sort -u | wc -l)" $((each * 3))
is 'nothing that Discord recognises came twice' "$(accepted 'select(.target | startswith("channel")) | .text' | sort | uniq -d | wc -l)" 0
twice=$(accepted '"\(.target) \(.text) \(.body.w // "")"' | sort | uniq -d | wc -l)
diag "$twice came twice in $kills kills, $(requests | grep -c '^nonce') were recognised"
ok 'at most one a kill came twice' test "$(accepted_count)" -le $((each * 3 + kills))
# within what came first of each, the order is the one they were raised in
for target in channel webhook /; do
	is "in order: $target" "$(accepted "select(.target | startswith(\"$target\")) | .text + \"\(.body.w // \"\")\"" | awk '!seen[$0]++ { n = $0; gsub(/[^0-9]/, "", n); if (n + 0 != ++i) print }')" ''
done
balanced 'raised = sent + pending + dead'
is 'nothing was wrong' "$(violations)" ''

# A spool that was damaged costs what was damaged.
discord_plays 'always hang'
poster_start
say 'raw w s1 {"n":1}' 'raw w s2 {"n":2}' 'raw w s3 {"n":3}'
printed '^queued s3'
wait_for 'requests | grep -q "^hang"'           # the first is on its way, and hangs
kill9 poster
head -c -9 "$DT_DATA/alertd/spool/messages" | sed 's/{"n":1}/{"n":7}/' >"$T/torn" && cat "$T/torn" >"$DT_DATA/alertd/spool/messages"
discord_plays ''
poster_start
poster_end
is 'the whole ones arrive' "$(accepted 'select(.body.n) | .body.n' | tr '\n' ' ')" '2 '
like 'and it is said' "$(cat "$T/poster.log")" 'warning: [0-9]+ bytes of the spool'
poster_start
say 'raw w up {"n":9}'
printed '^queued up'                # it has the spool
status 'a second process is refused' 75 "$B/helpers/poster" -f "$T/lines" base="$DISCORD"
done_testing
