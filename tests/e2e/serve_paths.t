#!/bin/sh
# Paths that try to leave the directory of static files, by spelling, by symbolic link, and as what is no file.
# only: plain
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/serve.sh"

secret=the-contents-of-a-file-outside
www=$T/www
mkdir -p "$www/login" "$www/classic/deep" "$www-beside" "$T/outside/login"
cp "$ROOT/static/login/login.html" "$www/login/"
echo inside | tee "$www/index.html" "$www/classic/index.html" "$www/classic/map.js" >"$www/classic/deep/page.html"
echo "$secret" | tee "$T/secret" "$www/.hidden" "$www/classic/.env" "$www-beside/file" "$T/outside/file" "$T/outside/login/file" >"$T/index.html"
mkdir "$www/.git"
echo "$secret" >"$www/.git/config"
ln -s "$T/secret" "$www/link"
ln -s "$T/outside" "$www/linked"
ln -s "$T/outside/login" "$www/login/linked"
ln -s ../../secret "$www/classic/relative"
ln -s / "$www/root"
ln -s deep/page.html "$www/classic/within"
ln -s /nowhere "$www/dangling"
ln -s loop "$www/loop"
mkfifo "$www/fifo"
serve_start -d "$www"

# Targets of requests as they stand on the line: STATUS|TARGET, asked by one curl; the status may be a regular expression.
cat >"$T/targets" <<'ROWS'
200|/classic/map.js
200|/classic/deep/page.html
200|/classic/within
200|/classic/./map.js
200|/classic/deep/../map.js
200|/classic/%6dap.js
ROWS
good=$(wc -l <"$T/targets")
cat >>"$T/targets" <<'ROWS'
4..|/../secret
4..|/../../secret
4..|/../../../../../../../../../../../../../etc/passwd
4..|/classic/../../secret
4..|/classic/deep/../../../secret
4..|/classic/..%2f..%2fsecret
4..|/classic/..%2F..%2Fsecret
4..|/..%2fsecret
4..|/%2e%2e/secret
4..|/%2E%2E/secret
4..|/%2e./secret
4..|/.%2e/secret
4..|/%2e%2e%2fsecret
4..|/%2e%2e%5csecret
4..|/%252e%252e/secret
4..|/%252e%252e%252fsecret
4..|/..%252fsecret
4..|/..%c0%afsecret
4..|/..%c1%9csecret
4..|/%c0%ae%c0%ae/secret
4..|/%e0%80%ae%e0%80%ae/secret
4..|/..%u2215secret
4..|/%uff0e%uff0e/secret
4..|/..\secret
4..|/..%5csecret
4..|/classic\..\..\secret
4..|/..;/secret
4..|/;/../secret
4..|/...//secret
4..|/..../secret
4..|/..././secret
4..|/.//../secret
4..|/./../secret
4..|//../secret
4..|//secret
4..|//etc/passwd
4..|///etc/passwd
4..|/%2fetc/passwd
4..|/etc/passwd
4..|/..%00/secret
4..|/..%0d%0a/secret
4..|/..%09/secret
4..|/..%20/secret
4..|/secret%00.html
4..|/../secret%00.js
4..|/classic/map.js/../../../secret
4..|/classic/map.js/
4..|/classic/map.js%00
4..|/../www-beside/file
4..|/..%2fwww-beside/file
4..|-beside/file
4..|/login/../../secret
4..|/login/%2e%2e/%2e%2e/secret
4..|/contract/../../secret
4..|/api/../../secret
4..|/api/..%2f..%2fsecret
4..|/link
4..|/linked/file
4..|/linked/
4..|/login/linked/file
4..|/classic/relative
4..|/root/etc/passwd
4..|/dangling
4..|/loop
4..|/fifo
4..|/classic/deep
4..|/.hidden
4..|/%2ehidden
4..|/classic/.env
4..|/classic/%2eenv
4..|/.git/config
4..|/classic/../.hidden
4..|/classic/deep/./.././../.git/config
4..|/~root/secret
4..|/file:///etc/passwd
4..|/proc/self/environ
4..|secret
4..|../secret
4..|file:///etc/passwd
4..|http://evil.example/../secret
4..|?../secret
4..|*
ROWS
# Some hold what lws itself cuts off: no answer is an answer too.
asked() {
	awk -F '|' -v url="$URL" '
		{
			gsub(/\\/, "\\\\", $2)
			if (NR > 1) print "next"
			printf "url=\"%s/\"\nrequest-target=\"%s\"\nsilent\ninclude\nmax-time=20\nwrite-out=\"\\n==== %%{http_code} %d\\n\"\n", url, $2, NR
		}' "$T/targets" >"$T/config"
	curl --config "$T/config" 2>"$T/curl.err" >"$T/answers"
	awk '/^==== / { print $2 }' "$T/answers" | paste -d '|' - "$T/targets" | awk -F '|' '{ if (!($1 ~ "^(" $2 ")$") && !(NR > good && $1 == "000")) print }' good="$good"
}
is "F46: none of $(($(wc -l <"$T/targets") - good)) spellings leads out, none of $good is refused" "$(asked)" ''
is 'F46: all were asked' "$(grep -c '^==== ' "$T/answers")" "$(wc -l <"$T/targets")"
is 'F46: nothing of what lies outside was sent' "$(grep -c -e "$secret" -e 'root:' "$T/answers")" 0
is 'F46: but what lies inside' "$(grep -c '^inside' "$T/answers")" "$good"
is 'F46: no other method reaches it' "$(for m in POST PUT DELETE PATCH OPTIONS; do curl -s -m 20 -o "$T/o" -w '%{http_code} ' -X $m --path-as-is -d x "$URL/../secret"; grep -c "$secret" "$T/o"; done | grep -v ' 0$'; curl -s -m 20 -X TRACE "$URL/" | grep -c "$secret")" 0

# who is not logged in gets the page's own files, and no others behind its name
stop serve
unset DT_TRUSTED_NETS
serve_start -d "$www"
is 'F46: without login' "$(code /login) $(code /classic/map.js) $(code /login/linked/file) $(code /login/../classic/map.js) $(code /login/%2e%2e/classic/map.js) $(code /login/..%2fclassic/map.js)" '200 401 404 401 401 401'
asked >"$T/wrong"
is 'F46: nothing was sent' "$(grep -c -e "$secret" -e 'root:' -e '^inside' "$T/answers")" 0
for path in /api-version/../live /healthz/../live /contract/../live /login/../live /api/login/../live /login/%2e%2e/live /login%2f../live /contract/..%2flive '/login/..;/live' /login//../live /LIVE/../live //live /live/ '/live%00' '/healthz%00/../live' '/login?/../live' /./live /api//live /api/./live; do
	got=$(CONTRACT=off code "$path")
	case $got:$path in 200:/login\?*) CONTRACT=off get "$path" | grep -q players && echo "$path"; continue ;; 40? | 40?:* | 000:*) ;; *) echo "$got $path" ;; esac
	grep -q players "$T/body" && echo "$path tells"
done >"$T/wrong"
is 'F46: no spelling goes round the door' "$(cat "$T/wrong")" ''
done_testing
