// Every word of the demo in English. `{name}` is filled in.
export default {
  other: "中文",
  title: "Coze STS: a chat of their own for each visitor",
  name: "Coze STS",
  lead: "Coze's Chat SDK in a static page, with a token for each visitor and no key in the page.",
  noSettings:
    "`settings.json` is missing. This page is served by `make dev`; opened in another way it has no service to ask.",
  tryAgain: "Try again",

  panesTitle: "Two visitors, side by side",
  panesLead:
    "Each pane is a page of its own, as a site would embed the chat. Pick who sits in front of it, open both chats and write: neither sees the other's conversation.",
  left: "Left pane",
  right: "Right pane",
  guest: "Guest",
  aGuest: "a guest",
  userName: "Another name",
  userNameRule: "1 to 64 letters, digits and . _ @ + -",
  signIn: "Sign in",
  frame: "{pane}: chat of {visitor}",
  sameGuest: "Both panes are guests of one browser. That is one guest with one history.",
  sameUser: "Both panes are {visitor}, so they show the same history.",

  botTitle: "Which bot?",
  botLead:
    "Enter the ID of your bot: the number at the end of its address in Coze. It is kept in this page's address.",
  botLabel: "Bot ID",
  botSave: "Use this bot",
  botRule: "Digits only",

  checksTitle: "The questions of Chat SDK's FAQ, checked here",
  checksLead: "The answers are asked of this page, of the two panes and of Coze while you look.",
  checksAgain: "Check again",
  checksRunning: "Checking …",
  checksDone: "Checked: {ok} fine, {bad} to mend, {note} to note.",
  ok: "Fine: ",
  bad: "To mend: ",
  note: "Note: ",

  isolationTitle: "How are visitors kept apart?",
  isolationText:
    "By the session in the token. Each visitor's token is signed for their own `session_name`, which the service takes from a verified sign-in or from the guest's ticket, never from the page.",
  isolationSame: "The same visitor is in both panes. Pick two to compare them.",
  isolationNone: "No conversation yet. Open both chats and write something.",
  isolationOk:
    "Conversations of {left}: {leftCount}; of {right}: {rightCount}; in both lists: 0. Reading the other's with one's own token: refused.",
  isolationBad: "A conversation can be read with both tokens. Somebody shares a session.",
  noToken: "There is no token for {visitor}, so nothing could be asked.",
  apiFault: "Coze answered: {fault}",

  userInfoTitle: "Is `userInfo` enough to tell visitors apart?",
  userInfoText:
    "No. It sets a name and a picture, nothing else. Both panes pass the same `userInfo` on purpose, so only their tokens differ.",
  userInfoOk: "Same `userInfo` in both panes, and yet separate conversations.",
  userInfoNote: "Needs a conversation of each of two visitors to show.",

  webViewTitle: "The web view of a mini-program or app blocks the chat?",
  webViewText:
    "Then do without Coze's frame: `isIframe: false` puts the chat into your own page. Your page's domain must still be allowed by the mini-program.",
  webViewOk: "`isIframe` is false, and neither pane holds a frame of another site.",
  webViewBad: "A pane holds a frame of another site.",

  audioTitle: "Voice does not work?",
  audioText:
    "The microphone needs HTTPS; this machine's own address counts as safe too. The panes pass `isNeedAudio: window.isSecureContext`.",
  audioOk: "This page is a secure context: `isNeedAudio` is true.",
  audioBad: "This page is not a secure context: `isNeedAudio` is false. Serve it over HTTPS.",

  ballTitle: "The floating ball is in the way?",
  ballText:
    "Hide it with `ui.asstBtn.isNeed: false` and draw a button of your own that calls `showChatBot()` and `hideChatBot()`.",
  ballOk: "No ball in either pane; each has its own button.",
  ballBad: "A floating ball is visible in a pane.",
  paneNotReady: "A pane has no chat yet; see what it says.",

  quotaTitle: "“Your free quota has been used up”?",
  quotaText:
    "That is code 4028, and it is about your Coze account: a free one has 100 conversations in Chat SDK. To see it coming, try a chat from time to time, as the button does, and have yourself told of a 4028. So that one visitor cannot use up everything, deploy with `EndUserQuota` `on`: where your edition can, Coze then counts by session.",
  quotaTry: "Try one chat",
  quotaTrying: "Asking the bot …",
  quotaNote:
    "Not tried: a chat counts, and it stays in the left pane's conversation. Quota errors that a stand-in pane meets appear here; Coze's own widget shows them to the visitor only.",
  quotaHello: "Hello",
  quotaOk: "The bot answered: there is quota left.",
  quotaSeen: "A pane met this: {fault}",

  openingTitle: "No opening statement?",
  openingText:
    "The widget reads it from the bot with the visitor's token. That needs the permission `getMetadata`, and a bot that is published to API as well as to Chat SDK.",
  openingOk: "Readable with the token of {visitor}: “{prologue}”",
  openingEmpty: "The bot can be read, but it has no opening statement. Write one in Coze.",

  snippetTitle: "Put it into your page",
  snippetLead:
    "Take the first line from the install dialog of Coze, put `coze-session.js` beside your page, and enter the bot's ID. The page at `demo/chat.html` does the same with everything around it.",
  snippetLabel: "Snippet",
  copy: "Copy",
  copied: "Copied.",
  copyFailed: "Copying is not allowed here. The snippet is selected: copy it yourself.",
  source: "Open the left pane alone",

  chatTitle: "Chat of {visitor}",
  signedInAs: "Signed in as {visitor}",
  guestHere: "You are a guest",
  signOut: "Sign out",
  newGuest: "Become a new guest",
  preparing: "Getting a token …",
  hint: "The chat is closed. It opens with the button.",
  openChat: "Open the chat",
  closeChat: "Close the chat",
  botName: "Assistant",
  userNickname: "Visitor",
  standIn:
    "A stand-in widget, not Coze's own, which needs a real key. It asks for tokens in the same way.",
  sdkFailed:
    "Coze's script could not be loaded: {url}. The network or a content blocker may be the reason. A small stand-in widget takes its place.",
  noTokenTitle: "No token, so no chat.",
  requestId: "Request {id}, for the log.",
  tokenFaults: {
    signIn: "The demo's sign-in cannot be reached.",
    0: "The token service cannot be reached, or this page's origin is not allowed.",
    401: "The token service does not accept the sign-in.",
    403: "The token service refuses this visitor or this page.",
    429: "A limit is reached. Try again later.",
    502: "Coze refuses the service's key or request. Its operator must act.",
    503: "The service or Coze is not available just now.",
    other: "The token service gave no token.",
  },

  cozeFaults: {
    0: "Coze cannot be reached. Check the network.",
    401: "Coze does not accept the token.",
    4008: "The limit of the day is reached.",
    4009: "Too much at once. Wait a moment.",
    4015: "The bot is not published to API. Publish it to API as well as to Chat SDK.",
    4019: "The Coze account has run out of credit.",
    4027: "The Coze account has run out of credit.",
    4028: "The free quota of the site's Coze account is used up. Only its owner can mend that, in Coze.",
    4100: "Coze does not accept the token.",
    4101: "A permission is missing: add it to the OAuth app and authorize the app again. To read a bot it is getMetadata.",
    4102: "Coze's risk control stopped this.",
    4200: "Coze does not know it: a wrong bot ID, or another visitor's conversation.",
    700012006: "Coze does not accept the token.",
    other: "Something went wrong.",
  },
  code: "code {code}",

  log: "Conversation",
  message: "Message",
  send: "Send",
  badge: "Stand-in widget",
  youSaid: "You:",
  botSaid: "{bot}:",
  thinking: "…",
  notText: "(not a text)",
  opening: "Reading the conversation …",
};
