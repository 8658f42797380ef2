// Server-sent events, read from the bytes of an answer.

/** Yields `{event, data}` for each event. */
export async function* events(bytes) {
  let rest = "";
  for await (const text of chunks(bytes)) {
    const blocks = (rest + text).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    yield* blocks.map(parse);
  }
  if (rest.trim()) yield parse(rest);
}

async function* chunks(bytes) {
  const reader = bytes.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function parse(block) {
  const fields = { event: [], data: [] };
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    fields[name]?.push(value);
  }
  return { event: fields.event.join(""), data: fields.data.join("\n") };
}
