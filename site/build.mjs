// Makes the two files that pages load out of src/.
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { minify } from "terser";

const common = {
  bundle: true,
  tsconfigRaw: {}, // what checks the types changes nothing of the result
  minify: true,
  target: ["chrome103", "firefox100", "safari16"],
  // Names that stay within the file, unlike options, the browser's own and what tabs say.
  mangleProps:
    /^(checkPause|failure|failures|flight|heard|held|hold|isGood|isSame|left|lock|mute|online|options|pause|refusals|refuse|refused|rest|seen|sleep|spent|steady|tickets|wall)$/,
};
const esm = { entryPoints: ["src/index.js"], format: "esm", outfile: "coze-session.js" };
const classic = {
  entryPoints: ["src/classic.js"],
  format: "iife",
  outfile: "coze-session.classic.js",
};

for (const form of [esm, classic]) {
  await build({ ...common, ...form });
  const code = await readFile(form.outfile, "utf8");
  const { code: small } = await minify(code, {
    module: form === esm,
    compress: { passes: 5, ecma: 2020, unsafe_arrows: true, unsafe_comps: true },
    format: { preamble: "/* coze-session 0.1.0, Apache-2.0 */" },
  });
  await writeFile(form.outfile, `${small}\n`);
}
