// Every word of the demo in Chinese. `{name}` is filled in.
export default {
  other: "English",
  title: "Coze STS：让每位访客只看到自己的对话",
  name: "Coze STS",
  lead: "在静态网页里使用扣子 Chat SDK：每位访客都有自己的令牌，网页里没有任何密钥。",
  noSettings: "找不到 `settings.json`。本页由 `make dev` 提供；用其他方式打开时，没有可用的服务。",
  tryAgain: "重试",

  panesTitle: "两位访客，左右对照",
  panesLead:
    "左右各是一个独立的网页，与真实网站的嵌入方式相同。为两边选好访客，打开聊天，各说几句：谁也看不到对方的对话。",
  left: "左侧",
  right: "右侧",
  guest: "未登录",
  aGuest: "未登录的访客",
  userName: "其他名字",
  userNameRule: "1 到 64 个字母、数字或 . _ @ + -",
  signIn: "登录",
  frame: "{pane}：{visitor}的聊天",
  sameGuest: "两边都是同一浏览器里未登录的访客，也就是同一个人，共用一份聊天记录。",
  sameUser: "两边都是 {visitor}，所以看到的是同一份聊天记录。",

  botTitle: "使用哪个智能体？",
  botLead: "请填写智能体 ID，即扣子中智能体页面地址末尾的数字。它保存在本页的地址中。",
  botLabel: "智能体 ID",
  botSave: "使用这个智能体",
  botRule: "只能是数字",

  checksTitle: "Chat SDK 常见问题，逐条实测",
  checksLead: "以下结论是此刻向本页、两侧网页和扣子实际查询得到的。",
  checksAgain: "重新检查",
  checksRunning: "正在检查……",
  checksDone: "检查完毕：{ok} 项正常，{bad} 项需要处理，{note} 项提示。",
  ok: "正常：",
  bad: "需要处理：",
  note: "提示：",

  isolationTitle: "如何隔离不同访客的会话？",
  isolationText:
    "靠令牌中的会话。每位访客的令牌都按各自的 `session_name` 签发；这个名字由服务从已验证的登录或访客票据中取得，不由网页指定。",
  isolationSame: "两边是同一位访客。请选择两位不同的访客来对照。",
  isolationNone: "还没有会话。请打开两边的聊天，各说几句。",
  isolationOk:
    "会话数：{left} {leftCount} 个，{right} {rightCount} 个，同时出现在两份列表里的 0 个。用自己的令牌去读对方的会话：被拒绝。",
  isolationBad: "有会话能被两个令牌读到，说明有人共用了会话。",
  noToken: "没有 {visitor} 的令牌，无法查询。",
  apiFault: "扣子返回：{fault}",

  userInfoTitle: "设置了 `userInfo`，就能区分访客吗？",
  userInfoText:
    "不能。它只决定显示的昵称和头像。这里故意给两边传入相同的 `userInfo`，不同的只有令牌。",
  userInfoOk: "两边的 `userInfo` 相同，会话依然各自独立。",
  userInfoNote: "需要两位访客各有一个会话才能看出来。",

  webViewTitle: "小程序或 App 的 web-view 打不开聊天？",
  webViewText:
    "那就不用扣子的 iframe：设置 `isIframe: false`，聊天直接渲染在你自己的网页里。小程序仍须把该网页的域名加入业务域名。",
  webViewOk: "`isIframe` 为 false，两边的网页里都没有第三方的 iframe。",
  webViewBad: "有一侧的网页里出现了第三方的 iframe。",

  audioTitle: "语音不能用？",
  audioText:
    "麦克风只能在 HTTPS 下使用，本机地址也算安全。两侧网页传入的是 `isNeedAudio: window.isSecureContext`。",
  audioOk: "本页处于安全上下文：`isNeedAudio` 为 true。",
  audioBad: "本页不在安全上下文中：`isNeedAudio` 为 false。请改用 HTTPS。",

  ballTitle: "悬浮球挡住了内容？",
  ballText:
    "用 `ui.asstBtn.isNeed: false` 隐藏它，再画一个自己的按钮，调用 `showChatBot()` 和 `hideChatBot()`。",
  ballOk: "两边都没有悬浮球，用的是各自的按钮。",
  ballBad: "有一侧仍显示着悬浮球。",
  paneNotReady: "有一侧的聊天还没有准备好，请看那里的说明。",

  quotaTitle: "提示“Your free quota has been used up”？",
  quotaText:
    "这是错误码 4028，与你的扣子账号有关：免费账号在 Chat SDK 中有 100 次对话额度。想提前发现，可以像下面的按钮那样定期试一次对话，出现 4028 就通知自己。为避免一位访客用光全部额度，部署时把 `EndUserQuota` 设为 `on`：在支持的版本里，扣子会按会话计量。",
  quotaTry: "试一次对话",
  quotaTrying: "正在询问智能体……",
  quotaNote:
    "尚未尝试：每试一次都会计入额度，并留在左侧的对话里。替代组件遇到的额度错误会显示在这里；扣子自己的组件只会显示给访客看。",
  quotaHello: "你好",
  quotaOk: "智能体有回答，额度还没有用完。",
  quotaSeen: "有一侧遇到：{fault}",

  openingTitle: "没有开场白？",
  openingText:
    "聊天组件用访客的令牌从智能体读取开场白。这需要 `getMetadata` 权限，并且智能体要同时发布到 API 和 Chat SDK。",
  openingOk: "用 {visitor} 的令牌可以读到：“{prologue}”",
  openingEmpty: "可以读取智能体，但它没有开场白。请在扣子中填写。",

  snippetTitle: "放进你的网页",
  snippetLead:
    "第一行以扣子安装弹窗中给出的为准；把 `coze-session.js` 放在网页旁边，并填写智能体 ID。`demo/chat.html` 是一个完整的示例。",
  snippetLabel: "代码片段",
  copy: "复制",
  copied: "已复制。",
  copyFailed: "这里不允许复制。代码已选中，请手动复制。",
  source: "单独打开左侧网页",

  chatTitle: "{visitor}的聊天",
  signedInAs: "已登录：{visitor}",
  guestHere: "未登录的访客",
  signOut: "退出登录",
  newGuest: "换成新访客",
  preparing: "正在获取令牌……",
  hint: "聊天已关闭，点击按钮打开。",
  openChat: "打开聊天",
  closeChat: "关闭聊天",
  botName: "智能助手",
  userNickname: "访客",
  standIn:
    "这是替代组件，不是扣子自己的组件（后者需要真实的密钥）。它获取令牌的方式与扣子的组件一致。",
  sdkFailed:
    "无法加载扣子的脚本：{url}。可能是网络问题，或被内容拦截插件阻止。现由一个简单的替代组件代替。",
  noTokenTitle: "没有令牌，无法聊天。",
  requestId: "请求编号 {id}，可在日志中查找。",
  tokenFaults: {
    signIn: "连不上演示用的登录服务。",
    0: "连不上令牌服务，或本页的源不在允许之列。",
    401: "令牌服务不接受这次登录。",
    403: "令牌服务拒绝了这位访客或这个网页。",
    429: "已达到上限，请稍后再试。",
    502: "扣子拒绝了服务的密钥或请求，需要运维人员处理。",
    503: "服务或扣子暂时不可用。",
    other: "令牌服务没有给出令牌。",
  },

  cozeFaults: {
    0: "连不上扣子，请检查网络。",
    401: "扣子不接受这个令牌。",
    4008: "已达到当天的上限。",
    4009: "请求太频繁，请稍等片刻。",
    4015: "智能体没有发布到 API。请同时发布到 API 和 Chat SDK。",
    4019: "扣子账号的余额不足。",
    4027: "扣子账号的余额不足。",
    4028: "网站所用扣子账号的免费额度已用完，只有账号所有者能在扣子中处理。",
    4100: "扣子不接受这个令牌。",
    4101: "缺少权限：请为 OAuth 应用勾选后重新授权。读取智能体需要 getMetadata。",
    4102: "被扣子的风控拦截。",
    4200: "扣子找不到它：智能体 ID 有误，或是其他访客的会话。",
    700012006: "扣子不接受这个令牌。",
    other: "出错了。",
  },
  code: "错误码 {code}",

  log: "对话",
  message: "消息",
  send: "发送",
  badge: "替代组件",
  youSaid: "你：",
  botSaid: "{bot}：",
  thinking: "……",
  notText: "（非文本消息）",
  opening: "正在读取对话……",
};
