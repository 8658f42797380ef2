"""What stands in the tables, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench import subjects as names

IN_CHINESE: Mapping[str, str] = {
    names.EMPTY: "空函数",
    names.SERVICE: "本服务",
    names.COMPILED: "cozepy，带字节码",
    names.OFFICIAL: "cozepy，普通 sam build",
    names.COLD_HIT: "冷启动，令牌在表中",
    names.COLD_MISS: "冷启动，向扣子换取",
    names.MEMORY_HIT: "热请求，令牌在内存中",
    names.TABLE_HIT: "热请求，令牌在表中",
    names.MISS: "热请求，向扣子换取",
    names.SIGNATURE: "一次签名",
    names.GET_ITEM: "一次 get_item",
    names.PARTS: "签名、POST、一次读、两次写",
    "zipped": "压缩后",
    "unpacked": "解压后",
    "target": "目标",
    "measured": "实测",
    "at most": "上限",
    "met": "达到",
    "yes": "是",
    "no": "否",
    "$, large site": "美元，大站点",
    "$, small site": "美元，小站点",
    "Cold, token in the table, to an empty handler": "冷启动，令牌在表中，比空函数",
    "Cold, exchange with Coze, to an empty handler": "冷启动，向扣子换取，比空函数",
    "Cold, exchange with Coze, to the SDK by plain sam build": (
        "冷启动，向扣子换取，比普通 sam build 的 SDK"
    ),
    "Warm, token in memory, to one signature": "热请求，令牌在内存中，比一次签名",
    "Warm, token in the table, to one get_item": "热请求，令牌在表中，比一次 get_item",
    "Warm, exchange, to signature, POST, get and two writes": (
        "热请求，向扣子换取，比签名、POST、一次读和两次写"
    ),
    "Package unpacked, in MB": "包，解压后，MB",
    "Package zipped, in MB": "包，压缩后，MB",
}
