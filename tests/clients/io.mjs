// JSON in by stdin, JSON out by stdout: {"result": …} or {"error": {…}}.
import { text } from "node:stream/consumers";

export async function readJson() {
  return JSON.parse(await text(process.stdin));
}

export async function report(work) {
  let said;
  try {
    said = { result: await work() };
  } catch (error) {
    said = { error: { name: error.name, status: error.status, code: error.code, raw: error.rawError, logid: error.logid } };
  }
  console.log(JSON.stringify(said));
}
