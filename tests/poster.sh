# shellcheck shell=sh
# Sourced after discord.sh: lib/post as a program.
#
#   poster_start [NAME=VALUE]...  with these times (ms), see tests/helpers/poster.c; the targets c (a channel), d (a Discord webhook), w (a webhook)
#   say 'text c key words'        a line for it; sent, dead: what it said
#   poster_end                    when nothing waits
DISCORD_RARE_BOT_TOKEN=test-bot-token
export DISCORD_RARE_BOT_TOKEN
HOOK_SECRET=hook-secret-abcdefgh
printed=$T/poster.out

poster_start() {
	rm -f "$T/lines"
	: >"$T/lines"
	say 'target c channel 100000000000000001' "target d discord $DISCORD/webhooks/200000000000000001/$HOOK_SECRET" "target w webhook $DISCORD_URL/$HOOK_SECRET"
	start_plain poster "$B/helpers/poster" -f "$T/lines" base="$DISCORD" min=100 max=800 "$@"
}

say() { printf '%s\n' "$@" >>"$T/lines"; }
poster_end() {
	say end
	wait_for '! alive poster' 20 || return 1
	wait "$(pid_of poster)"
}
sent() { grep -c '^sent' "$printed"; }
printed() { wait_for "grep -Eq '$1' \"\$printed\"" "${2:-10}"; }
balanced() {
	is "$1" "$(jq -r '.metrics | .posts_raised_total == ([.posts_sent_total[]?] | add // 0) + .posts_pending + ([.posts_dead_total[]?] | add // 0)' "$DT_RUN/status/dt-alertd.json")" true
}
count() { metric dt-alertd "$@"; }
