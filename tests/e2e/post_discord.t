#!/bin/sh
# lib/post against Discord's stand-in: bodies, order, rate limits of every kind, messages that are raised twice.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/discord.sh"
. "$ROOT/tests/poster.sh"

discord_start || exit 1
poster_start
say 'text c k1 hello' 'text d k2 @everyone **hi**' 'raw w k3 {"a":1}' 'embed c k4 A title|and what it says' 'text c k5 %10000' 'embed d k6 %10000'
ok 'all arrive' wait_for '[ "$(accepted_count)" = 6 ]'
is 'in order for each target' "$(accepted '"\(.target): \(.text[:20])"' | grep channel | tr '\n' ',')" \
	'channel 100000000000000001: hello,channel 100000000000000001: A title: and what it,channel 100000000000000001: xxxxxxxxxxxxxxxxxxxx,'
is 'F56: what is too long is cut by code point' "$(accepted 'select(.text | startswith("xxx")) | .text | length' | sort -n | tr '\n' ' ')" '256 2000 '
is 'F56: nobody is pinged' "$(accepted '.body.allowed_mentions // "none" | tostring' | sort | uniq -c | tr -s ' ' | tr '\n' ',')" ' 1 none, 5 {"parse":[]},'
printed '^sent c k5'
say 'text c k1 hello' 'text c k7 again'
printed '^sent c k7'
like 'what was raised before is known' "$(cat "$printed")" '^known k1'
is 'and not sent again' "$(accepted_count)" 7
ok 'it is counted' wait_for '[ "$(count posts_duplicates_avoided_total)" = 1 ]'
say 'raw c k8 {"content":"@everyone"}' 'text c k9 '
printed '^refused k8'
printed '^sent c k9'
is 'F56: a body that could ping is refused' "$(accepted .text | grep -c everyone)" 1

# Rate limits: the stand-in notes what comes too early.
discord_plays 'only channels 429 0.4' 'only channels 429 1.2 date' 'only channels 429 0.3 body' 'only channels 429 1 header' 'only channels 429 0 bare' 'only channels 429 0.3 shared'
say 'text c r1 limited' 'text d r2 not limited'
printed '^sent c r1' 20
like 'F53: 429 in six ways: it was tried again until it arrived' "$(cat "$printed")" '^sent c r1 7'
is 'F53: a route that is limited: the webhook did not wait for it' "$(accepted 'select(.text | endswith("limited")) | .text' | head -1)" 'not limited'
discord_plays '429 8 global'
wait_for '[ "$(count posts_retries_total 429)" = 6 ]'
say 'text c r3 one'
wait_for '[ "$(count posts_retries_total 429)" = 7 ]'
say 'text d r4 two' 'raw w r5 {"text":"other"}'
printed '^sent c r3'
printed '^sent d r4'
is 'F53: all of Discord limited: somebody else is not Discord' "$(accepted .key | tail -3 | head -1)" "$(accepted 'select(.target | startswith("/")) | .key' | tail -1)"
discord_plays 'only channels empty 0.6'
say 'text c r6 last one of the bucket' 'text c r7 first of the next'
printed '^sent c r7'
is 'F53: nothing came too early, nothing was wrong' "$(violations)" ''

# Answers that say nothing of use
discord_plays 'only webhooks half' 'only webhooks huge' 'only channels taken' 'only channels status 500' 'only channels status 502 <html>' 'only channels cut'
say 'text d h1 half' 'text d h2 huge' 'text c h3 taken'
printed '^sent d h2' 20
printed '^sent c h3' 20
is 'F54: half an answer and one that does not end are answers' "$(accepted .text | grep -cE '^(half|huge)$')" 2
is 'F54: a message that was taken without an answer is there once' "$(accepted .text | grep -c '^taken$')" 1
like 'because Discord knew its nonce' "$(requests)" '^nonce channel'
discord_plays 'status 400 the stars are wrong'
say 'text d b1 refused' 'text d b2 next'
printed '^sent d b2'
like 'what is refused is dead, with the words of Discord' "$(cat "$printed")" '^dead d b1 rejected the stars are wrong$'
ok 'it ends' poster_end
balanced 'raised = sent + pending + dead'
is 'nothing was wrong' "$(violations)" ''
unlike 'no secret is in the log' "$(cat "$T/poster.log")" 'test-bot-token|hook-secret'
unlike 'none in the spool' "$(cat "$DT_DATA"/alertd/spool/*)" 'test-bot-token|hook-secret'
is 'the spool is for nobody else' "$(stat -c %a "$DT_DATA/alertd/spool" "$DT_DATA/alertd/spool/messages" | tr '\n' ' ')" '700 600 '
done_testing
