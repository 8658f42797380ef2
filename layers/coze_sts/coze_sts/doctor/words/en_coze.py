"""What is said in English of the secret and of Coze."""

from __future__ import annotations

_STORE = (
    "Store coze_oauth_config.json as Coze hands it out, or as docs/kms.md has it: StoreKeyCommand "
    "of the stack does it, and COZE_CONFIG names the file on this machine."
)
_NO_FILE = "Not looked at: there is no usable coze_oauth_config.json."
_NO_SIGNATURE = "Not looked at: nothing can be signed here."
_SEE_KEY = "See the lines of secret, config and key."
_NOBODY_TO_ASK = "Not looked at: there is no token to ask with."
_MEND = "Mend what failed, then ask again."
_SEE_EXCHANGE = "See the line of exchange."
_SAY_BOT = (
    "See the line of exchange, and say which bot: BOT_ID of the command, bot_id of the event."
)
_CONSOLE = "Give it to the OAuth app in Coze's console and authorize the app again"

COZE = {
    "settings.read": ("The settings can be read.", ""),
    "settings.faulty": (
        "The settings are wrong: {faults}",
        "Mend the variable; the template parameter of the same name sets it.",
    ),
    "secret.read": ("coze_oauth_config.json is there.", ""),
    "secret.unreadable": ("coze_oauth_config.json cannot be read: {reason}", _STORE),
    "config.read": ("It parses: app {client_id} at {api_base}.", ""),
    "config.faulty": ("It does not parse: {reason}", _STORE),
    "config.skipped": (_NO_FILE, _MEND),
    "key.long": ("The private key is RSA and has {bits} bits.", ""),
    "key.kms": ("KMS holds the key and signs; the exchange shows whether it does.", ""),
    "key.elsewhere": (
        "KMS holds the key, which cannot be tried from this machine.",
        "Deploy, then say STACK with the stack's name: its doctor signs with the key.",
    ),
    "key.in_kms": (
        "KMS signs, and private_key is in the file all the same: the functions refuse it.",
        (
            "Remove private_key from the file and store it again. If that file was stored, its key "
            "has been in a secret: better make a new one at Coze, as docs/kms.md has it."
        ),
    ),
    "key.faulty": (
        "The private key cannot be used: {reason}",
        "Create a new key at Coze, RSA with 2048 bits or more, and store the whole new file.",
    ),
    "key.skipped": (_NO_FILE, _MEND),
    "kid.shaped": ("public_key_id has the shape of a fingerprint.", ""),
    "kid.odd": (
        "public_key_id has {length} characters; a fingerprint has 43 letters, digits, - or _.",
        "Compare it with the fingerprint of the public key in the OAuth app's settings.",
    ),
    "kid.skipped": (_NO_FILE, _MEND),
    "clock.right": ("The clock is {seconds} s off Coze's.", ""),
    "clock.wrong": (
        "The clock is {seconds} s off Coze's.",
        "Set the clock, with NTP for example: Coze refuses assertions of another time.",
    ),
    "clock.unknown": (
        "{host} did not say what time it is ({cause}).",
        "Look whether this machine reaches Coze: name server, proxy, firewall.",
    ),
    "clock.skipped": (_NO_SIGNATURE, _SEE_KEY),
    "exchange.done": ("{host} gave a token; its log id is {log_id}.", ""),
    "exchange.refused": (
        "Coze refuses the key. {said}",
        (
            "Compare client_id and public_key_id with the OAuth app at Coze, look whether the app "
            "is enabled, and see the lines of the clock and the region. Coze's support asks for "
            "the log id."
        ),
    ),
    "exchange.denied": (
        "Coze refuses the request. {said}",
        (
            "Check what the message names, and that the OAuth app is enabled, authorized for the "
            "bot's workspace and of the type JWT. Coze's support asks for the log id."
        ),
    ),
    "exchange.failing": (
        "Coze did not answer properly. {said}",
        "Try again in a minute; look whether this machine reaches Coze.",
    ),
    "exchange.unsigned": (
        "Nothing is signed, so Coze was not asked. {said}",
        "Mend the key as the message says; docs/kms.md has what each of KMS's codes asks for.",
    ),
    "exchange.kms_failing": (
        "KMS is failing for now, so Coze was not asked. {said}",
        (
            "Try again in a minute; if it stays so, look at AWS Health and at KMS's quotas in the "
            "stack's region."
        ),
    ),
    "exchange.skipped": (_NO_SIGNATURE, _SEE_KEY),
    "region.right": ("The key belongs to {host}.", ""),
    "region.other": (
        "The key does not work at {host}, but it does at {other}.",
        (
            "Set coze_api_base in coze_oauth_config.json to https://{other} and store it again; "
            "COZE_API_BASE, where it is set, must say the same."
        ),
    ),
    "region.neither": (
        "The key works neither at {host} nor at {other}: the region is not the cause.",
        (
            "Compare client_id and public_key_id with the OAuth app at Coze. A new key needs some "
            "seconds; a disabled app refuses every key."
        ),
    ),
    "region.unreached": (
        "The key does not work at {host}, and whether it does at {other} is not known.",
        "Try again in a minute, or compare the host with the address of Coze's console.",
    ),
    "region.unknown": (
        "Not looked at: {host} is none of Coze's own hosts, so there is no other to try.",
        (
            "If it ought to be Coze itself, set coze_api_base to https://api.coze.cn or "
            "https://api.coze.com."
        ),
    ),
    "region.skipped": (
        "Not looked at: Coze refused no key.",
        _SEE_EXCHANGE,
    ),
    "permission.granted": ("{permission} is there.", ""),
    "permission.seems": (
        "{permission} seems to be there: Coze refused the call for another reason ({code}).",
        "",
    ),
    "permission.lacking": (
        "{permission} is missing ({code}); log id {log_id}.",
        _CONSOLE + "; the app must be authorized for the bot's workspace. No new token mends "
        "it before that.",
    ),
    "permission.token": (
        "Coze does not accept its own new token for {permission} ({code}); log id {log_id}.",
        "Look whether the OAuth app is enabled, then ask Coze's support with the log id.",
    ),
    "permission.together": (
        "Not known: Coze asks for chat beside {permission}, and that is missing.",
        "Give the app chat, then ask again.",
    ),
    "permission.unclear": (
        "Not known: Coze did not say whether {permission} is there ({code}); log id {log_id}.",
        "Try again in a minute.",
    ),
    "permission.bot": (
        "Not looked at: {permission} can only be tried with a bot.",
        "Say which: BOT_ID of the command, bot_id of the event.",
    ),
    "permission.skipped": (_NOBODY_TO_ASK, _SEE_EXCHANGE),
    "api.published": ("Bot {bot_id} is published to API.", ""),
    "api.unpublished": (
        "Bot {bot_id} is not published to API ({code}); log id {log_id}.",
        "Publish the bot to API in Coze's console: the page reads its opening statement there.",
    ),
    "api.refused": (
        "Coze does not show bot {bot_id} ({code}); log id {log_id}.",
        (
            "Compare the ID with the end of the bot's address in Coze's console; it must be in a "
            "workspace that the OAuth app is authorized for."
        ),
    ),
    "api.unclear": (
        "Not known: Coze did not show bot {bot_id} ({code}); log id {log_id}.",
        "Give the app getMetadata, then ask again.",
    ),
    "api.skipped": (
        "Not looked at: there is no bot or no token.",
        _SAY_BOT,
    ),
    "chat_sdk.published": ("Coze opens conversations with bot {bot_id} for Chat SDK.", ""),
    "chat_sdk.unpublished": (
        "Bot {bot_id} is not published to Chat SDK (4015); log id {log_id}.",
        "Publish the bot to Chat SDK in Coze's console, as well as to API.",
    ),
    "chat_sdk.unclear": (
        "Not known: Coze opened no conversation with bot {bot_id} for Chat SDK.",
        "Give the app createConversation and listConversation, then ask again.",
    ),
    "chat_sdk.skipped": (
        "Not looked at: there is no bot or no token.",
        _SAY_BOT,
    ),
    "opening.there": ("The bot has an opening statement, and a page can read it.", ""),
    "opening.empty": (
        "The bot that is published has no opening statement.",
        "Write one in Coze's console and publish the bot again, if visitors are to see one.",
    ),
    "opening.skipped": (
        "Not looked at: Coze did not show the bot.",
        "See the line of api: the bot's ID, getMetadata, published to API.",
    ),
}
