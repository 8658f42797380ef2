"""The bot: what it is called, how it opens, and what it answers."""

import re

from tests.local.coze.account import Account, no_permission
from tests.local.coze.call import Answer, Call
from tests.local.coze.grant import bot_ids
from tests.local.coze.records import TokenRecord

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CREATED_AT = 1_760_000_000


def configuration(call: Call, *, account: Account) -> Answer:
    """GET /v1/bots/{bot_id}: what a page shows before the first word. Any ID is a bot."""
    account.check_api_channel()
    bot_id = call.request.path.rpartition("/")[2]
    check_reach(call.token, bot_id)
    bot = {
        "bot_id": bot_id,
        "name": "Echo",
        "description": "Repeats what it is told, and counts.",
        "icon_url": "",
        "create_time": CREATED_AT,
        "update_time": CREATED_AT,
        "version": "1",
        "bot_mode": 0,
        "onboarding_info": {
            "prologue": "Hello! Only you see what we say here. 你好！这里的对话只有你能看到。",
            "suggested_questions": ["Who else reads this?", "还有谁能看到？"],
        },
    }
    return {"data": bot}


def check_reach(token: TokenRecord, bot_id: str) -> None:
    """Raise ApiRefusal unless the token's scope, if it has one, names this bot."""
    allowed = bot_ids(token.scope)
    if allowed is not None and bot_id not in allowed:
        raise no_permission()


def reply(words: str, *, number: int) -> str:
    """What the bot says to the visitor's message of this number in a conversation."""
    if CHINESE.search(words):
        return f"这是本会话中你的第 {number} 条消息，你说的是：{words}"
    return f"This is message {number} from you in this conversation. You said: {words}"
