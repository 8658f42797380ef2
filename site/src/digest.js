/**
 * The SHA-256 of a text in hexadecimal; undefined where the page is not a secure context.
 * @param {string} text
 */
export async function digest(text) {
  const bytes = await globalThis.crypto?.subtle?.digest("SHA-256", new TextEncoder().encode(text));
  return (
    bytes &&
    Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("")
  );
}
