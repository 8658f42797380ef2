"""The shapes in which public pages carry secrets.

A mark `@KIND@` stands where a secret belongs, so that no file here has one; `render` puts in
secrets that are made up and says where each must be found.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from tests.leak_scan import made_up

KEY, TOKEN, NAME = "private-key", "coze-token", "public-variable"

MARKS = {
    "TOKEN": (made_up.token(), TOKEN),
    "SERVICE": (made_up.token("sat_"), TOKEN),
    "WORKLOAD": (made_up.token("cztei_"), TOKEN),
    "SESSION": (made_up.token("czs_", length=86), TOKEN),
    "HEAD": (made_up.token()[:30], TOKEN),
    "TAIL": (made_up.token()[30:], None),
    "FIRST": ("pat", TOKEN),
    "REST": (made_up.token()[3:], None),
    "TOKEN_ESCAPED": (made_up.token().replace("pat_", r"\x70\x61t\u005f"), TOKEN),
    "TOKEN_PERCENT": (made_up.token().replace("_", "%5F"), TOKEN),
    "TOKEN_ENTITY": (made_up.token().replace("_", "&#95;"), TOKEN),
    "TOKEN_ENTITY_16": (made_up.token().replace("_", "&#x5f;"), TOKEN),
    "TOKEN_64": (made_up.base64_of(made_up.token()), TOKEN),
    "KEY": (made_up.pem(), KEY),
    "KEY_1": (made_up.pem("PKCS #1"), KEY),
    "KEY_ESCAPED": (json.dumps(made_up.pem())[1:-1], KEY),
    "KEY_TWICE_ESCAPED": (json.dumps(json.dumps(made_up.pem())[1:-1])[1:-1], KEY),
    "KEY_PIECES": ('\\n" +\n  "'.join(made_up.pem().splitlines()), KEY),
    "KEY_BODY": (made_up.body(made_up.pem()), KEY),
    "KEY_1_BODY": (made_up.body(made_up.pem("PKCS #1")), KEY),
    "KEY_PERCENT": (quote(made_up.pem()), KEY),
    "KEY_64": (made_up.base64_of(made_up.pem()), KEY),
    "KEY_1_64": (made_up.base64_of(made_up.pem("PKCS #1")), KEY),
    "CLIENT_SECRET": (made_up.letters(48), "client-secret"),
    "CLIENT_TYPE": ("client_type", "oauth-config"),
    "KTY": ("kty", KEY),
    "D": (made_up.letters(342), None),
    "SOURCE_64": (
        made_up.base64_of(json.dumps({"sourcesContent": [f"const t='{made_up.token()}'"]})),
        None,
    ),
    **{
        prefix: (f"{prefix}_COZE", NAME)
        for prefix in [
            *("NEXT_PUBLIC", "VITE", "REACT_APP", "VUE_APP", "NUXT_PUBLIC", "PUBLIC", "GATSBY"),
            *("EXPO_PUBLIC", "TARO_APP"),
        ]
    },
    "KOUZI": ("VITE_KOUZI", NAME),
    "CAMEL": ("coze", NAME),
    "CAMEL_2": ("kouzi", NAME),
    "DEFINED": ("__COZE", NAME),
    "PLAIN": ("COZE", NAME),
}

_MARK = re.compile(r"@([A-Z0-9_]+)@")


def render(template: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The file, and line, column and rule of each secret in it."""
    parts, expected, end = [], [], 0
    for mark in _MARK.finditer(template):
        secret, rule = MARKS[mark.group(1)]
        parts.append(template[end : mark.start()])
        before = "".join(parts)
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        if rule:
            expected.append((line, column, rule))
        parts.append(secret)
        end = mark.end()
    return "".join([*parts, template[end:]]), expected


SHAPES = {
    "index.html": """<!doctype html>
<title>帮助中心</title>
<script src="https://lf-cdn.coze.cn/obj/unpkg/flow-platform/chat-app-sdk/1.2.0-beta.10/libs/cn/index.js"></script>
<script>
  new CozeWebSDK.WebChatClient({
    config: { bot_id: '7000000000000000001' },
    auth: {
      type: 'token',
      token: '@TOKEN@',
      onRefreshToken: function () { return '@TOKEN@'; },
    },
  });
</script>
""",
    "Chat.tsx": """'use client';
const TOKEN = "@TOKEN@";
export default function Chat() {
  useEffect(() => { start({ token: TOKEN, fallback: process.env.@NEXT_PUBLIC@_TOKEN }); }, []);
  return null;
}
""",
    "Chat.vue": """<script setup>
const token = import.meta.env.@VITE@_TOKEN
const other = import.meta.env["@VITE@_API_KEY"]
const { @VITE@_PAT } = import.meta.env;
</script>
""",
    "+page.svelte": "import { @PUBLIC@_PAT } from '$env/static/public';\n",
    ".env.production": """# 扣子
@NEXT_PUBLIC@_TOKEN=@TOKEN@
@VITE@_KNOWLEDGE_TOKEN="@SERVICE@"
@REACT_APP@_SECRET=abc123
@VUE_APP@_API_KEY='0123456789'
@NUXT_PUBLIC@_PAT=@TOKEN@
@GATSBY@_TOKEN=$COZE_TOKEN
@EXPO_PUBLIC@_ACCESS_TOKEN=@TOKEN@
@TARO_APP@_TOKEN=@TOKEN@
@KOUZI@_TOKEN=@TOKEN@
COZE_PRIVATE_KEY="@KEY_ESCAPED@"
COZE_KEY_64=@KEY_64@
COZE_KEY_1_64=@KEY_1_64@
""",
    "nuxt.config.ts": """export default defineNuxtConfig({
  runtimeConfig: {
    cozeToken: process.env.COZE_TOKEN,
    public: { site: { name: 'a' }, @CAMEL@Token: process.env.COZE_TOKEN, @CAMEL_2@ApiKey: 'a1b' },
  },
})
""",
    "useChat.ts": """const token = useRuntimeConfig().public.@CAMEL@Token;
const { @CAMEL@Pat } = useRuntimeConfig().public
""",
    "vite.config.ts": """export default defineConfig(({ mode }) => ({
  define: {
    @DEFINED@_TOKEN__: JSON.stringify(env.COZE_TOKEN),
    'process.env.@PLAIN@_API_KEY': JSON.stringify(loadEnv(mode, '.', '').COZE_API_KEY),
    'process.env': { @PLAIN@_PAT: '@TOKEN@' },
  },
}));
""",
    "webpack.config.js": "plugins: [new webpack.DefinePlugin({ "
    "@PLAIN@_SECRET: JSON.stringify(process.env.COZE_SECRET) })],\n",
    "workflow.yml": "env:\n  @NEXT_PUBLIC@_TOKEN: ${{ secrets.COZE_TOKEN }}\n",
    "bundle.min.js": '(()=>{var e={41:(e,t)=>{t.Z=\'@TOKEN@\'}},n="x"+"y";'
    'fetch("/v3/chat",{headers:{Authorization:"Bearer @WORKLOAD@"}});'
    'var o={@VITE@_TOKEN:"@SERVICE@",BASE_URL:"/",MODE:"production"}})();',
    "bundle.js.map": r'{"version":3,"sourcesContent":["const a = 1;\nconst t = \"@TOKEN@\";\n'
    r'const k = `@KEY_TWICE_ESCAPED@`;\n"],"names":["pat_match","compat_table"]}',
    "split.js": """const a = '@HEAD@' + '@TAIL@';
const b = "@HEAD@".concat("@TAIL@");
const c = ['@HEAD@', '@TAIL@'].join('');
const d = "@FIRST@" +
  "@REST@";
const e = "@TOKEN_ESCAPED@";
const h = "user\\n@HEAD@" + "@TAIL@\\n";
const f = atob('@TOKEN_64@');
const g = `@FIRST@${"@REST@"}`, i = `${'@HEAD@'}@TAIL@`;
const j = `Bearer ${"@FIRST@"}${ '@REST@' }`;
""",
    "sign.js": """import { SignJWT, importPKCS8 } from 'jose';
const key = "@KEY_ESCAPED@";
const other = `@KEY_1@`;
const third = "@KEY_PIECES@";
const fourth = '@KEY_BODY@', fifth = '@KEY_1_BODY@';
const sixth = { @KTY@: "RSA", n: "AQAB", e: "AQAB", d: "@D@" };
""",
    "miniprogram/config.js": """module.exports = {
  botId: '7000000000000000001', // 智能体
  cozeToken: 'Bearer @TOKEN@', // 令牌
  user: '@SESSION@',
}
""",
    "hugo.toml": """[params.coze]
bot_id = "7000000000000000001"
token = "@TOKEN@"
""",
    "docusaurus.config.js": "module.exports = { customFields: { cozeToken: '@TOKEN@' } };\n",
    "attributes.html": '<coze-chat data-token="@TOKEN@" data-next=@SERVICE@></coze-chat>\n'
    '<a href="https://example.com/?q=1&amp;token%3D@TOKEN@%20">chat</a>\n'
    '<a href="/?token=@TOKEN_PERCENT@&amp;key=@KEY_PERCENT@">chat</a>\n'
    '<p title="@TOKEN_ENTITY@" id="@TOKEN_ENTITY_16@">chat</p>\n',
    "page.md": "把 `token` 换成 `@TOKEN@`：\n\n    Authorization: Bearer @TOKEN@\n",
    "coze_oauth_config.json": """{
  "@CLIENT_TYPE@": "jwt",
  "client_id": "1234567890123",
  "coze_www_base": "https://www.coze.cn",
  "coze_api_base": "https://api.coze.cn",
  "private_key": "@KEY_ESCAPED@",
  "public_key_id": "Ab"
}
""",
    "web_app.json": '{"client_type": "web", "client_secret": "@CLIENT_SECRET@",'
    ' "coze_api_base": "https://api.coze.com"}\n',
    "oauth.js": "const coze = { clientId: '1', clientSecret: '@CLIENT_SECRET@' };\n",
    "app.js": "const app = { clientSecret: '@CLIENT_SECRET@' }; // 扣子\n",
    "key.pem": "@KEY@",
}
"""By the name of the file."""

HARMLESS = {
    "README.md": """Put your token in: `pat_********`,
pat_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,
pat_<your token>, pat_your_token,
pat_YourPersonalAccessTokenGoesHereWithoutAnyDigitsAtAllXxxxxxxx,
pat_{{ token }}, pat_${TOKEN}, pat_...,
pat_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,
pat_0000000000000000000000000000000000000000000000000000000000000000,
czs_…, sat_你的令牌, cztei_xxx.
A page must not read `NEXT_PUBLIC_COZE_TOKEN`, nor `VITE_COZE_PAT`: the token of Coze.
VITE_COZE_TOKEN: the token of Coze
""",
    ".env.example": """NEXT_PUBLIC_COZE_BOT_ID=7000000000000000001
NEXT_PUBLIC_COZE_ENDPOINT=https://abc123.execute-api.eu-west-1.amazonaws.com
NEXT_PUBLIC_COZE_TOKEN_ENDPOINT=https://abc123.execute-api.eu-west-1.amazonaws.com
NEXT_PUBLIC_COZE_PUBLIC_KEY_ID=Ab
NEXT_PUBLIC_COZE_TURNSTILE_SITE_KEY=0x4AAAAAAAA
NEXT_PUBLIC_COZE_PATH=/chat
NEXT_PUBLIC_COZE_TOKEN=
VITE_COZE_TOKEN=pat_xxx
VITE_COZE_PAT=pat_你的Token
VITE_COZE_API_KEY=your_coze_api_key_here
REACT_APP_COZE_TOKEN=<your token>
COZE_API_TOKEN=${COZE_API_TOKEN}
NUXT_PUBLIC_COZE_TOKEN=undefined
VITE_MAP_KEY=0123456789abcdef
""",
    "nuxt.config.ts": """export default defineNuxtConfig({
  runtimeConfig: {
    cozeToken: process.env.COZE_TOKEN,
    public: { cozeBotId: '7', cozeTokenEndpoint: 'https://a', cozeToken: '', cozePat: undefined },
    other: { cozeSecret: 'a1b2' },
  },
  other: { public: { cozeToken: process.env.COZE_TOKEN } },
})
interface PublicRuntimeConfig { public: { cozeToken: string } }
const { cozeToken } = useRuntimeConfig(), bot = useRuntimeConfig().public.cozeBotId;
""",
    "vite.config.ts": """const options = { cozeToken: process.env.COZE_TOKEN, mode: 1 };
export default { define: { __COZE_BOT_ID__: '"7"', __COZE_TOKEN_URL__: '"https://a"',
  COZE_PAT: JSON.stringify('') },
  server: { proxy: { headers: { cozeToken: process.env.COZE_TOKEN } } } };
define: { __COZE_TOKEN__: JSON.stringify('your_token') }
""",
    "env.d.ts": "interface ImportMetaEnv { VITE_COZE_TOKEN: string; VITE_COZE_BOT_ID: string }\n",
    "snake.py": "def pat_match_the_longest_prefix_of_any_pattern_in_the_table_2(pat_match_1):\n"
    "    compat_5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b = pat_match_1\n"
    "    return pat_someCamelCaseNameThatIsFortyCharactersLongOrMore(compat_Table64)\n",
    "bundle.js": 'var o=["compat_","alpha1","Beta2","gamma3"],p="pat_"+e,q=`pat_${n}`,'
    'r="czs_"+"sat_"+"cztei_";i.pat_=1;u=`pat_${"a"}${n}`;'
    's=["compat_","Opera12","Firefox34","Chrome56","Safari78","Edge90","Konqueror1"];\n',
    "short.js": f"t='pat_{made_up.letters(39)}'; u='czs_{made_up.letters(31)}'\n",
    "login.js": f"google({{ clientSecret: '{made_up.letters(40)}' }});\n",
    "keys.md": '"private_key": "-----BEGIN PRIVATE KEY-----\\n…"\n'
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
    "...\n-----END PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\nyour key\n"
    'if "PRIVATE KEY-----" in text and text.startswith("-----BEGIN PRIVATE KEY-----"):\n'
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAbCdEfGh1JkLmN\n-----END PRIVATE KEY-----\n"
    '{"client_type": "jwt", "private_key": "-----BEGIN PRIVATE KEY-----\\nxxx"}\n'
    '{"kty": "RSA", "n": "' + made_up.letters(342) + '", "e": "AQAB"}\n'
    'client_secret: "Your1Client2Secret3OfCoze4GoesHere5"\n',
    "public.pem": made_up.public_pem(),
    "jwt.txt": made_up.letters(300) + "-pat_" + made_up.letters(64) + "-" + made_up.letters(300),
}
