#!/bin/sh
# Usage: check_text.sh ROOT
# Names that may not appear: banned functions, the marks of unfinished work, and
# foreign libraries outside the one file that is their door.
cd "$1" || exit 2
fail=0
say() { echo "$1"; fail=1; }

code='shared dataplane controlplane tests'
found=$(grep -rnwE --exclude-dir=node_modules --include='*.[ch]' \
    'strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gmtime|localtime|rand|alloca' $code |
    grep -v '^[^:]*:[0-9]*: *\(/\?\*\|//\)')
[ -z "$found" ] || say "banned function:
$found"
found=$(grep -rnE --exclude-dir=node_modules \
    --include='*.[ch]' --include='*.py' --include='*.mjs' --include='*.sh' \
    '\b(TO''DO|FIX''ME|X''XX)\b' $code cmake deploy)
[ -z "$found" ] || say "unfinished:
$found"

door() { # pattern, files that may
    found=$(grep -rnE --include='*.[ch]' "$1" shared dataplane controlplane |
        grep -vE "^($2):" | grep -v '^[^:]*:[0-9]*: *\(/\?\*\|//\)')
    [ -z "$found" ] || say "outside its door ($2):
$found"
}
door '\bevhtp_[a-z]+' 'shared/httpd\.c'
door '\b(curl_|CURL[A-Z_]*\b)' 'shared/fetch(_[a-z]+)?\.[ch]'
door '\bnng_[a-z]+' 'shared/bus\.c'
door '\bsqlite3_[a-z]+' 'controlplane/db(_[a-z]+)?\.[ch]'
door '\bcJSON' 'shared/json\.c'
door '\bcrypto_[a-z]+|\bsodium_|\brandombytes_' 'shared/secret\.c'
door '\b(EVP_|PEM_|BIO_|ERR_)[A-Za-z]+\(' 'shared/rsa\.c'
door '\bhttp_parser_' 'shared/http1\.c'
door '\b(protobuf_c_|PROTOBUF_C_)[a-zA-Z_]+' 'shared/proto\.c'
door '\.pb-c\.h"' '(dataplane|controlplane)/wire(_[a-z]+\.c|_parts\.h)'
door '\b(inflate|ZSTD_|BrotliDecoder)[A-Za-z]*\(' 'shared/decode\.c'
door '\bpcre2_[a-z]+' 'shared/pattern\.c'
door '\b(lua_|luaL_|luaopen_)[a-z]+' 'shared/script\.c'
exit $fail
