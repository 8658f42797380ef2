// A phone's `wx`, as far as a token needs it. `codes` are what wx.login will give.
globalThis.logins = 0;
globalThis.isOffline = false;
globalThis.wx = {
  login: ({ success }) => success({ code: codes[logins++] }),
  request: ({ url, method, header, data, success, fail }) =>
    isOffline
      ? fail({ errMsg: "request:fail" })
      : fetch(url, { method, headers: header, body: JSON.stringify(data) })
          .then(async (answer) => success({ statusCode: answer.status, data: await answer.json() }))
          .catch(fail),
};
