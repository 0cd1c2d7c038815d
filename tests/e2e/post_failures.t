#!/bin/sh
# lib/post when the other side fails: shut targets, timeouts, no connection, TLS, redirects, too many refusals, commands, age.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/discord.sh"
. "$ROOT/tests/poster.sh"

discord_start || exit 1
poster_start invalid=5
say 'target x channel 100000000000000002' "target gone discord $DISCORD/webhooks/200000000000000002/$HOOK_SECRET" "target moved webhook $DISCORD_URL/moved"

# Shut targets: one call, then none.
discord_plays 'only 200000000000000002 status 404 Unknown Webhook' 'only moved redirect http://127.0.0.1:1/'
say 'text gone g1 one' 'text gone g2 two' 'raw moved m1 {}' 'raw moved m2 {}' 'text d d1 goes on'
printed '^sent d d1'
ok 'F55: two targets are shut' wait_for '[ "$(count targets_shut)" = 2 ]'
say status
printed '^moved webhook 2 shut: 302'
like 'the status says which and why' "$(cat "$printed")" '^gone discord_webhook 2 shut: 404'
is 'F55: one call to each' "$(requests | grep -cE '^(404|302)')" 2
like 'F55: the log is loud' "$(cat "$T/poster.log")" 'error: target gone is shut: it answered 404: Unknown Webhook'
say "target gone discord $DISCORD/webhooks/200000000000000002/$HOOK_SECRET-new"
printed '^sent gone g2'
is 'F55: a changed target is open, and what waited arrives in order' "$(accepted .text | tail -2 | tr '\n' ' ')" 'one two '
discord_plays 'only channels status 401 401: Unauthorized'
say 'text c u1 one' 'text x u2 two'
ok 'F55: a wrong token shuts all channels' wait_for '[ "$(count targets_shut)" = 3 ]'
is 'F55: after one call' "$(requests | grep -c '^401')" 1

# 404 and 302 are no invalid requests, 401 is; four may be within the window when five are the limit.
discord_plays 'always only webhooks 429 0.05'
say 'text d i1 limited'
ok 'F53: refusals are few, then it stops' wait_for 'grep -q "none is made until" "$T/poster.log"'
is 'F53: fewer than the limit' "$(requests | grep -cE '^(401|429)')" 4
say 'raw w o1 {"still":"goes"}'
printed '^sent w o1'
is 'others are not concerned' "$(requests | grep -cE '^(401|429)')" 4
kill9 poster
poster_start invalid=5
say 'raw w o2 {"after":"kill -9"}'
printed '^sent w o2'
is 'F53: a restart does not forget them' "$(requests | grep -cE '^(401|429)')" 4
kill9 poster
rm -rf "$DT_DATA/alertd"

# No answer, no connection, no name, no TLS.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key" -out "$T/cert" -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
plain=$DISCORD
mkdir -p "$T/tls/discord"
start_plain secure node "$ROOT/tests/discord/discord.mjs" --tls "$T/key" "$T/cert" "$T/tls/discord"
wait_for '[ -s "$T/tls/discord/port" ]'
secure=https://127.0.0.1:$(cat "$T/tls/discord/port")
refused=$(free_port)
: >"$T/poster.log"
# (a connection that is used again and cut is tried once more by libcurl itself)
discord_plays 'only w1 hang' 'only w1 status 503' 'only w1 cut' 'only w1 cut' 'only w1 cut' 'only w1 cut' 'only w1 cut' 'only w1 cut'
poster_start total=4000 connect=4000
say "target t webhook $DISCORD_URL/w1" "target n webhook http://no-such-host.invalid/x" "target p webhook http://127.0.0.1:$refused/x" "target s webhook $secure/x" \
	'raw t t1 {}' 'raw n n1 {}' 'raw p p1 {}' 'raw s s1 {}' 'raw w w1 {}'
printed '^sent w w1'
printed '^sent t t1' 20
like 'F54: 5xx, no answer, cut off: tried until it arrives' "$(grep '^sent t t1' "$printed")" '^sent t t1 [4-9]$'
for cause in timeout 5xx answer dns connect tls; do
	ok "F54: counted: $cause" wait_for '[ "$(count posts_retries_total '$cause')" -gt 0 ]'
done
is 'F54: nobody got a word without TLS that holds' "$(wc -c <"$T/tls/discord/accepted")" 0
kill9 poster
rm -rf "$DT_DATA/alertd"
poster_start age=1500
say "target n webhook http://no-such-host.invalid/x" "target p webhook http://127.0.0.1:$refused/x" "target s webhook $secure/x" \
	'raw n n2 {}' 'raw p p2 {}' 'raw s s2 {}' 'target never webhook http://127.0.0.1:1/' 'gone never' 'raw never v1 {}'
for key in n2 p2 s2; do ok "F54: no name, no connection, no TLS: given up with age: $key" printed "^dead [a-z] $key expired" 20; done
ok 'and what has no target' printed '^dead never v1 no_target' 20
ok 'it ends' poster_end
balanced 'F54: raised = sent + pending + dead'
unlike 'no URL is in the log' "$(cat "$T/poster.log")" '/w1|/x|hook-secret'

# With the right certificate, and a proxy of the environment that nobody asked for.
https_proxy=http://127.0.0.1:1 http_proxy=http://127.0.0.1:1 poster_start ca="$T/cert"
say "target good webhook $secure/x" 'raw good s3 {}'
ok 'a certificate that is known is good, and no proxy is used' printed '^sent good s3'
say 'target f webhook ftp://127.0.0.1/' 'target n webhook nothing' 'target i channel x' 'target h discord http://discord.com/api/webhooks/1/abcdefghi'
printed '^refused h'
like 'only http and https' "$(cat "$printed")" '^refused f is neither'
like 'a secret goes over TLS' "$(cat "$printed")" '^refused h .*https'

# Commands
cat >"$T/take" <<'END'
#!/bin/sh
case $1 in
keep) { cat; echo; echo "args: $*"; env; } >>"$2" ;;
no) echo "no such number" >&2; exit 65 ;;
sleep) sleep 30 ;;
shut) exit 78 ;;
esac
END
chmod +x "$T/take"
say "target k command $T/take keep $T/kept ; \$(id)" "target no command $T/take no" "target shut command $T/take shut" "target absent command $T/absent"
say 'raw k k1 what is said' 'raw no n1 x' 'raw shut h1 x' 'raw absent a1 x'
printed '^sent k k1'
is 'a command gets the message as it is' "$(sed -n 1p "$T/kept")" 'what is said'
is 'and its words, no shell' "$(sed -n 2p "$T/kept")" "args: keep $T/kept ; \$(id)"
unlike 'and no secret' "$(cat "$T/kept")" 'test-bot-token|DISCORD'
ok 'what it refuses is dead, with its words' printed '^dead no n1 rejected no such number'
ok 'a command that cannot run is shut' wait_for '[ "$(count targets_shut)" = 2 ]'
kill9 poster
rm -rf "$DT_DATA/alertd"
poster_start total=1000
say "target slow command $T/take sleep" 'raw slow s1 x' 'raw w after {}'
ok 'others go on when a command hangs' printed '^sent w after'
ok 'it is ended and tried again' wait_for '[ "$(count posts_retries_total timeout)" -ge 2 ]' 20
is 'nothing was wrong' "$(violations; cat "$T/tls/discord/violations")" ''
unlike 'no secret in the words of any process' "$(tr '\0' ' ' <"/proc/$(pid_of poster)/cmdline")" 'hook-secret|test-bot-token'
done_testing
