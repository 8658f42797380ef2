// Plays Coze's Chat SDK as far as a page can tell: it asks for its token, opens, closes and goes away.
globalThis.widgets = [];
globalThis.widgetsMade = 0;
globalThis.CozeWebSDK = {
  WebChatClient: class {
    isOpen = false;

    constructor(options) {
      this.options = options;
      this.token = options.auth.token || options.auth.onRefreshToken("");
      widgets.push(this);
      widgetsMade++;
    }

    showChatBot() {
      this.isOpen = true;
      this.options.ui?.chatBot?.onShow?.();
    }

    hideChatBot() {
      this.isOpen = false;
      this.options.ui?.chatBot?.onHide?.();
    }

    destroy() {
      widgets.splice(widgets.indexOf(this), 1);
    }
  },
};
