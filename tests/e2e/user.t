#!/bin/sh
# dt-user: accounts, roles and tokens from the shell.
. "$(dirname "$0")/../lib.sh"

field() { cut -f "$1" "$T/out"; }
db=$DT_DATA/accounts.db
echo 'correct horse' >"$T/password"
user() { dt-user "$@" <"$T/password"; }

ok 'a user is made' user add larsson admin
is 'in a file for nobody else' "$(stat -c %a "$db")" 600
status 'it is listed' 0 dt-user list
is 'with its role' "$(field 1,2)" "larsson	admin"
is 'and has never logged in' "$(field 4)" never
is 'the password is not in the file' "$(grep -c 'correct horse' "$db" "$db-wal" 2>/dev/null | grep -vc ':0')" 0

status 'the same name again' 65 user add larsson
like 'says why' "$(cat "$T/err")" 'larsson: there is one of that name already'
status 'a name that is none' 65 user add 'two words'
status 'no password' 66 dt-user add other
like 'says how to give it' "$(cat "$T/err")" 'no password came: type it, or give it as a line on standard input'
echo short >"$T/password"
status 'a password that is too short' 65 user add other
like 'says so' "$(cat "$T/err")" 'at least 8'
head -c 2000 /dev/zero | tr '\0' x >"$T/password"
status 'one that is too long' 65 user add other
printf 'without newline' >"$T/password"
ok 'one without a newline' user add other
dt-user list >"$T/out"
is 'the role is viewer when none is given' "$(sed -n 2p "$T/out" | cut -f 2)" viewer

status 'the last admin stays' 65 dt-user role larsson viewer
status 'also when it is to go' 65 dt-user del larsson
ok 'another admin' dt-user role other admin
ok 'then it may go' dt-user del larsson
status 'nobody of that name' 67 dt-user del larsson
like 'says where to look for one' "$(cat "$T/err")" 'larsson: there is none of that name; dt-user list shows all'
status 'a password for nobody' 67 user passwd larsson
ok 'a new password' user passwd other
status 'a role that is none' 64 dt-user role other king

status 'a token' 0 dt-user token add grafana
like 'is shown' "$(cat "$T/out")" '^dt_[A-Za-z0-9_-]{32}$'
token=$(cat "$T/out")
is 'it is not in the file' "$(cat "$db" "$db-wal" 2>/dev/null | grep -c -- "$token")" 0
status 'tokens are listed' 0 dt-user token list
is 'without the secret' "$(field 1,2,3,5)" "1	grafana	viewer	never"
ok 'it is ended' dt-user token del 1
status 'and no more there' 67 dt-user token del 1
like 'says where to look' "$(cat "$T/err")" 'no token of number 1; dt-user token list shows all'
status 'no number' 64 dt-user token del grafana

status 'a link when there are users' 65 dt-user link
status 'a link for the first of them' 0 dt-user -f "$T/new.db" link
like 'is a path' "$(cat "$T/out")" '^/login\?link=[A-Za-z0-9_-]{32}$'

ok 'a copy' dt-user copy "$T/copy.db"
is 'has the same users' "$(dt-user -f "$T/copy.db" list)" "$(dt-user list)"
is 'for nobody else' "$(stat -c %a "$T/copy.db")" 600
status 'nothing is overwritten' 73 dt-user copy "$T/copy.db"

status 'no command' 64 dt-user
status 'an unknown command' 64 dt-user frobnicate
status 'half a command' 64 dt-user token
like 'says how it goes on' "$(cat "$T/err")" "'token' takes add, del or list"
status 'a word too many' 64 dt-user list everything
status 'a word too few' 64 dt-user role other
like 'says what is missing' "$(cat "$T/err")" "'role' takes a name and a role"
echo 'not a database, and longer than a header of one would be, by far: nothing in it is what it should be' >"$T/broken.db"
status 'a file that is none' 78 dt-user -f "$T/broken.db" list
status 'a directory that is not there' 78 dt-user -f "$T/no/such.db" list
like 'says what it is' "$(cat "$T/err")" 'unable to open .*/no/such.db: No such file or directory$'
done_testing
