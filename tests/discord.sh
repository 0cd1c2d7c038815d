# shellcheck shell=sh
# shellcheck disable=SC2016
# Sourced after lib.sh: the stand-in of Discord (tests/discord/discord.mjs says what it plays) in $T/discord.
#
#   discord_start [OPTION]...     $DISCORD is its DISCORD_API_BASE, $DISCORD_URL what other webhooks begin with, the bot's token test-bot-token
#   discord_plays 'LINE' ...      what happens to the next requests
#   accepted [jq program]         what it took, one a line (.target, .text, .key, .body); `accepted_count`
#   requests                      "STATUS target problem" a line
#   is 'nothing was wrong' "$(violations)" ''

discord_start() {
	rm -f "$T/discord/port"
	start_plain discord node "$ROOT/tests/discord/discord.mjs" "$@" "$T/discord"
	wait_for '[ -s "$T/discord/port" ]' 20 || return 1
	DISCORD_PORT=$(cat "$T/discord/port")
	case $* in *--tls*) DISCORD_URL=https://127.0.0.1:$DISCORD_PORT ;; *) DISCORD_URL=http://127.0.0.1:$DISCORD_PORT ;; esac
	DISCORD=$DISCORD_URL/api/v10
}

discord_plays() {
	printf '%s\n' "$@" >"$T/discord/script.made"
	mv "$T/discord/script.made" "$T/discord/script"
}

accepted() { jq -r "${1:-.text}" "$T/discord/accepted"; }
accepted_count() { wc -l <"$T/discord/accepted"; }
requests() { cat "$T/discord/requests"; }
violations() { cat "$T/discord/violations"; }
