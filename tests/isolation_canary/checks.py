"""The names of the checks, as the log and docs/canary.md have them."""

BOT = "7000000000000000001"

TOKEN_1, TOKEN_2 = "coze-sts-canary-1 gets a token", "coze-sts-canary-2 gets a token"
DIFFER = "the two sessions have tokens of their own"
FORGED, FOREIGN = "forged ticket", "foreign ticket"
PAGE_NAMES = "page names a session"
UNSIGNED_BACKEND, GUEST_NAMED = "backend without a signature", "backend names a guest"
UNSIGNED, ANOTHERS_KEY = "unsigned sign-in at /token", "sign-in with another's key at /token"
LISTS = "each session lists its own conversations only"
READS = {
    "session 1 cannot read session 2's messages",
    "session 2 cannot read session 1's messages",
}

AT_COZE = {LISTS, *READS}
AT_THE_DOORS = {
    *(FORGED, FOREIGN, PAGE_NAMES, UNSIGNED_BACKEND, GUEST_NAMED, UNSIGNED, ANOTHERS_KEY)
}
ALL = {TOKEN_1, TOKEN_2, DIFFER, *AT_THE_DOORS, *AT_COZE}
